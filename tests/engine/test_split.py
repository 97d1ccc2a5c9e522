"""A prompt that one engine begins and another ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from goodput.core.request import GenerationRequest
from goodput.engine.engine import Engine
from goodput.engine.modelled import modelled_token
from goodput.engine.report import Handoff

RequestOf = Callable[..., GenerationRequest]
Rig = Any
PROMPT = list(range(20, 40))


def continued(prompt: list[int], count: int) -> list[int]:
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(modelled_token(tokens, 50))
    return tokens[len(prompt) :]


def first_part(rig: Rig, engine: Engine) -> Handoff:
    """Step until something is handed off; nothing may have been answered before."""
    for _ in range(20):
        result = rig.step(engine)
        assert not result.deltas
        if result.handoffs:
            (handoff,) = result.handoffs
            return handoff
    raise AssertionError("nothing was handed off")


@pytest.mark.parametrize("role", ["prefill", "mixed"])
def test_a_prompt_goes_on_where_it_was_split(rig: Rig, request_of: RequestOf, role: str) -> None:
    front, back = rig.engine(role=role, budget=5), rig.engine(role="decode", budget=5)
    request = request_of("split", PROMPT, max_tokens=6)
    front.add(request, until=8)
    handoff = first_part(rig, front)
    assert (handoff.num_computed, handoff.generated, len(handoff.blocks)) == (8, [], 2)
    assert not front.has_work
    back.add_handed_over(request, handoff.blocks, 8, handoff.timeline, handoff.lease_id)
    rig.run(back)
    assert rig.answers["split"] == continued(PROMPT, 6)
    assert front.release_lease(handoff.lease_id)
    for engine in (front, back):
        assert engine.load().free_blocks == engine.load().total_blocks


def test_the_first_token_and_the_handing_over_are_stamped_in_their_real_order(
    rig: Rig, request_of: RequestOf
) -> None:
    front, back = rig.engine(role="prefill"), rig.engine(role="decode")
    request = request_of("split", PROMPT, max_tokens=3)
    front.add(request, until=12)
    handoff = first_part(rig, front)
    assert handoff.timeline.prefill_started is not None and handoff.timeline.first_token is None
    back.add_handed_over(request, handoff.blocks, 12, handoff.timeline, handoff.lease_id)
    rig.run(back)
    timeline = rig.ends["split"].timeline
    assert timeline.prefill_started < timeline.first_token < timeline.last_token


@pytest.mark.parametrize(("until", "computed"), [(4, 12), (8, 12), (12, 12), (16, 16)])
def test_what_is_cached_past_the_split_costs_one_block_more(
    rig: Rig, request_of: RequestOf, until: int, computed: int
) -> None:
    engine = rig.engine(role="prefill")
    engine.add(request_of("before", PROMPT[:9], max_tokens=1))
    rig.run(engine)  # Two blocks are cached now.
    engine.add(request_of("split", PROMPT, max_tokens=3), until=until)
    assert first_part(rig, engine).num_computed == computed


def test_where_nothing_would_be_left_the_prompt_is_not_split(
    rig: Rig, request_of: RequestOf
) -> None:
    engine = rig.engine(role="prefill")
    engine.add(request_of("before", PROMPT, max_tokens=1))
    rig.run(engine)
    engine.add(request_of("split", PROMPT, max_tokens=3), until=8)
    (handoff,) = rig.step(engine).handoffs
    assert (handoff.num_computed, handoff.generated) == (20, continued(PROMPT, 1))


@pytest.mark.parametrize("until", [-4, 3, 20, 24])
def test_a_split_that_cannot_be_is_refused(rig: Rig, request_of: RequestOf, until: int) -> None:
    with pytest.raises(ValueError, match="split"):
        rig.engine().add(request_of("split", PROMPT), until=until)


def test_one_that_lost_its_blocks_is_split_all_the_same(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(role="prefill", blocks=8, budget=4, prefix_cache=False)
    engine.add(request_of("split", PROMPT, max_tokens=3), until=16)
    urgent = request_of("urgent", PROMPT[:8], max_tokens=2)
    rig.step(engine)
    engine.add(msgspec.structs.replace(urgent, priority=-1), keep=True)
    handoffs = [handoff for _ in range(20) for handoff in rig.step(engine).handoffs]
    assert [handoff.num_computed for handoff in handoffs] == [16]
