"""A request that a prefill engine was told to keep: decoded there, until the role is set anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goodput.core.request import GenerationRequest
from goodput.core.slo import SLO
from goodput.engine.modelled import modelled_token

RequestOf = Callable[..., GenerationRequest]
Rig = Any


def continued(prompt: list[int], count: int) -> list[int]:
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(modelled_token(tokens, 50))
    return tokens[len(prompt) :]


def test_a_kept_request_is_decoded_among_those_that_are_handed_off(
    rig: Rig, request_of: RequestOf
) -> None:
    engine = rig.engine(role="prefill", blocks=8)
    engine.add(request_of("kept", [1, 2, 3], max_tokens=9), keep=True)
    engine.add(request_of("other", [4, 5, 6], max_tokens=9))
    handoffs = []
    for _ in range(60):
        for handoff in rig.step(engine).handoffs:
            handoffs.append(handoff.request_id)
            engine.release_lease(handoff.lease_id)
        if not engine.has_work:
            break
    assert handoffs == ["other"]
    assert rig.answers["kept"] == continued([1, 2, 3], 9)
    assert engine.load().free_blocks == engine.load().total_blocks


def test_a_new_role_ends_the_keeping(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(role="decode")
    engine.add(request_of("kept", [1, 2, 3], max_tokens=9), keep=True)
    rig.step(engine)
    engine.role = "prefill"
    assert [handoff.request_id for handoff in rig.step(engine).handoffs] == ["kept"]


def test_the_load_tells_the_least_slack_and_the_tightest_pace(
    rig: Rig, request_of: RequestOf
) -> None:
    engine = rig.engine(drafts=0)
    assert (engine.load().slack_s, engine.load().pace_s) == (None, None)
    for name, tpot in (("a", 1.0), ("b", 0.2), ("c", None)):
        request = request_of(name, [1, 2, 3], max_tokens=9)
        request.slo = None if tpot is None else SLO(tpot=tpot)
        engine.add(request)
    rig.step(engine)
    load = engine.load()
    assert load.pace_s == pytest.approx(0.85 * 0.2)
    assert load.slack_s == pytest.approx(0.85 * 0.2)  # the first token came just now
    rig.clock.advance(0.1)
    assert engine.load().slack_s == pytest.approx(0.85 * 0.2 - 0.1)
