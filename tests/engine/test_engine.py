"""One engine, or a prefill and a decode engine, on a KV memory that is checked at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goodput.core.request import GenerationRequest
from goodput.core.timeline import Timeline
from goodput.engine.engine import Engine
from goodput.engine.modelled import modelled_token
from goodput.engine.report import Handoff
from goodput.kv.invariants import InvariantError

RequestOf = Callable[..., GenerationRequest]
Rig = Any  # Of conftest, which cannot be imported by name.


def continued(prompt: list[int], count: int) -> list[int]:
    """What the modelled executor says after ``prompt``."""
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(modelled_token(tokens, 50))
    return tokens[len(prompt) :]


def hand_over(engine: Engine, request: GenerationRequest, handoff: Handoff) -> None:
    """What a coordinator does between two workers."""
    request.generated = handoff.generated
    engine.add_handed_over(
        request,
        handoff.blocks,
        handoff.num_computed,
        handoff.timeline,
        handoff.lease_id,
        handoff.cached_tokens,
    )


def prefilled(rig: Rig, engine: Engine, request: GenerationRequest) -> Handoff:
    """Run ``request`` alone until ``engine`` hands it off."""
    engine.add(request)
    for _ in range(50):
        handoffs: list[Handoff] = rig.step(engine).handoffs
        if handoffs:
            return handoffs[0]
    raise AssertionError("no hand-off")


def test_an_answer_and_its_stamps(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine()
    rig.clock.advance(5.0)
    engine.add(request_of("a", [1, 2, 3], max_tokens=4))
    rig.clock.advance(1.0)
    rig.run(engine)
    end = rig.ends["a"]
    assert rig.answers["a"] == continued([1, 2, 3], 4)
    assert end.finish_reason == "length"
    timeline = end.timeline
    assert (timeline.received, timeline.submitted, timeline.prefill_started) == (0.0, 5.0, 6.0)
    assert timeline.first_token == pytest.approx(6.013)
    assert timeline.decode_started == timeline.first_token
    assert timeline.last_token == pytest.approx(6.013 + 3 * 0.012)
    assert (timeline.offered, timeline.accepted, timeline.finished) == (None, None, None)
    assert engine.load().free_blocks == engine.load().total_blocks


@pytest.mark.parametrize(
    ("fields", "count", "reason"),
    [
        ({"eos": True}, 3, "stop"),
        ({"eos": True, "ignore_eos": True}, 8, "length"),
        ({"eos": True, "min_tokens": 2}, 3, "stop"),
        ({"eos": True, "min_tokens": 3}, 8, "length"),
        ({"stop": True}, 3, "stop"),
        ({"stop": True, "max_tokens": 3}, 3, "stop"),
        ({"max_tokens": 2}, 2, "length"),
        ({"generated": 2}, 6, "length"),
        ({"generated": 8}, 0, "length"),
    ],
)
def test_finish_rules(
    rig: Rig, request_of: RequestOf, fields: dict[str, Any], count: int, reason: str
) -> None:
    prompt = [1, 2, 3]
    expected = continued(prompt, 8)
    third = expected[2]
    assert expected.count(third) == 1
    fields = {"max_tokens": 8, **fields}
    if fields.pop("eos", False):
        fields["eos"] = (third,)
    if fields.pop("stop", False):
        fields["stop_token_ids"] = (third,)
    already = fields.pop("generated", 0)
    engine = rig.engine()
    engine.add(request_of("a", prompt, generated=expected[:already], **fields))
    rig.run(engine)
    assert rig.answers["a"] == expected[already : already + count]
    assert rig.ends["a"].finish_reason == reason
    assert rig.ends["a"].stop_token == (third if reason == "stop" else None)


def test_the_context_ends_an_answer(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(context=10)
    engine.add(request_of("a", [1] * 7, max_tokens=99))
    engine.add(request_of("b", [1] * 10, max_tokens=99))
    rig.run(engine)
    assert rig.answers["a"] == continued([1] * 7, 3)
    assert (rig.ends["a"].finish_reason, rig.ends["b"].finish_reason) == ("length", "error")


def test_cached_tokens_are_reported(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine()
    for name in ("a", "b"):
        engine.add(request_of(name, list(range(10)), max_tokens=1))
        rig.run(engine)
    assert (rig.ends["a"].cached_tokens, rig.ends["b"].cached_tokens) == (0, 8)
    assert len(engine.pool.drain_events().stored) == 2


@pytest.mark.parametrize("length", [5, 7, 8, 9])
def test_a_hand_off_goes_on_with_the_same_tokens(
    rig: Rig, request_of: RequestOf, length: int
) -> None:
    prefill, decode = rig.engine(role="prefill"), rig.engine(role="decode")
    request = request_of("a", list(range(length)), max_tokens=12)
    handoff = prefilled(rig, prefill, request)
    assert rig.answers["a"] == handoff.generated == continued(request.prompt, 1)
    assert handoff.num_computed == length
    assert not prefill.has_work and prefill.load().leases == 1
    rig.clock.advance(1.0)
    hand_over(decode, request, handoff)
    released = [x for _ in range(11) for x in rig.step(decode).released_leases]
    assert rig.answers["a"] == continued(request.prompt, 12)
    assert released == [handoff.lease_id] and not decode.has_work
    timeline = rig.ends["a"].timeline
    assert timeline.decode_started >= timeline.first_token + 1.0
    assert prefill.release_lease(handoff.lease_id)
    assert not prefill.release_lease(handoff.lease_id)
    for engine in rig.engines:
        engine.check_invariants()
        assert engine.load().free_blocks == engine.load().total_blocks


def test_leased_blocks_are_kept_until_their_release(rig: Rig, request_of: RequestOf) -> None:
    prefill = rig.engine(role="prefill", blocks=4)
    handoff = prefilled(rig, prefill, request_of("a", [1] * 10, max_tokens=9))
    prefill.add(request_of("b", [2] * 10, max_tokens=9))
    assert rig.step(prefill).computed_tokens == 0, "it waits for leased blocks"
    assert prefill.has_work
    assert prefill.cancel("a") is None, "who was handed off is not cancelled here"
    prefill.release_lease(handoff.lease_id)
    assert rig.step(prefill).computed_tokens == 10


def test_no_hand_off_when_the_first_token_ends_it(rig: Rig, request_of: RequestOf) -> None:
    prefill = rig.engine(role="prefill")
    prefill.add(request_of("a", [1, 2], max_tokens=1))
    assert rig.step(prefill).handoffs == []
    assert rig.ends["a"].finish_reason == "length"


def test_a_preempted_hand_over_gives_its_lease_back(rig: Rig, request_of: RequestOf) -> None:
    prefill = rig.engine(role="prefill")
    decode = rig.engine(role="decode", blocks=4)
    expected = {}
    for name in ("a", "b"):
        request = request_of(name, [ord(name) % 50] * 4, max_tokens=11)
        expected[name] = continued(request.prompt, 11)
        hand_over(decode, request, prefilled(rig, prefill, request))
    released = []
    while decode.has_work:
        released += rig.step(decode).released_leases
    assert decode.load().preemptions > 0
    assert len(released) == len(set(released)) == 2
    assert rig.answers == expected


def test_roles_may_change_between_steps(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(role="mixed")
    engine.add(request_of("a", [1, 2], max_tokens=9))
    rig.step(engine)
    engine.role = "prefill"
    (handoff,) = rig.step(engine).handoffs
    assert engine.role == "prefill"
    assert handoff.generated == continued([1, 2], 2)


@pytest.mark.parametrize("steps", [0, 1, 2, 4])
def test_cancelling_gives_blocks_back_at_once(rig: Rig, request_of: RequestOf, steps: int) -> None:
    engine = rig.engine(budget=4)
    engine.add(request_of("a", [1] * 9, max_tokens=9))
    for _ in range(steps):
        rig.step(engine)
    assert engine.cancel("a") is None
    engine.check_invariants()
    assert not engine.has_work
    assert engine.load().free_blocks == engine.load().total_blocks
    assert engine.cancel("a") is None


@pytest.mark.parametrize("steps", [0, 1, 6])
def test_cancelling_a_hand_over_returns_its_lease(
    rig: Rig, request_of: RequestOf, steps: int
) -> None:
    prefill, decode = rig.engine(role="prefill"), rig.engine(role="decode")
    request = request_of("a", [1] * 6, max_tokens=20)
    handoff = prefilled(rig, prefill, request)
    hand_over(decode, request, handoff)
    for _ in range(steps):
        rig.step(decode)
    assert decode.cancel("a") == handoff.lease_id
    assert not decode.has_work, "the lease is not reported a second time"
    decode.check_invariants()


def test_an_id_may_be_used_again_after_its_end(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine()
    engine.add(request_of("a", []))
    with pytest.raises(ValueError, match="request a"):
        engine.add(request_of("a", [1]))
    engine.cancel("a")
    engine.add(request_of("a", [1], max_tokens=2))
    rig.run(engine)
    assert rig.answers["a"] == continued([1], 2)


def test_reserved_blocks_stay_out_of_use(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(blocks=4)
    engine.reserve([0, 2], "old")
    engine.check_invariants()
    assert engine.load().free_blocks == 2
    engine.add(request_of("a", [1] * 9, max_tokens=1))
    assert rig.step(engine).computed_tokens == 0
    assert engine.release_lease("old")
    rig.run(engine)
    assert rig.answers["a"] == continued([1] * 9, 1)


def test_impossible_hand_overs_are_refused(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(blocks=4)
    request = request_of("a", [1] * 6, generated=[2])
    timeline = Timeline(received=0.0)
    for blocks, computed in (([9], 6), ([8, 9], 0), ([8, 9], 7)):
        with pytest.raises(ValueError, match="leased blocks"):
            engine.add_handed_over(request, blocks, computed, timeline, "x")
    with pytest.raises(ValueError, match="this worker itself"):
        engine.add_handed_over(request, [1, 9], 6, timeline, "x")
    assert not engine.has_work


def test_a_leaked_block_is_found(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine()
    engine.pool.allocate(1)
    with pytest.raises(InvariantError, match="1 references but 0 owners"):
        engine.check_invariants()


def test_lost_kv_is_found(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine()
    engine.add(request_of("a", [1, 2, 3], max_tokens=4))
    rig.step(engine)
    rig.kv.clear()
    with pytest.raises(InvariantError, match="position 0 of a"):
        engine.step()


def test_an_executors_error_is_not_hidden(rig: Rig, request_of: RequestOf) -> None:
    class Broken:
        def execute(self, plan: object) -> list[Any]:
            raise MemoryError("no memory")

    engine = rig.engine()
    engine.executor = Broken()
    engine.add(request_of("a", [1]))
    with pytest.raises(MemoryError):
        engine.step()


def test_load_counts(rig: Rig, request_of: RequestOf) -> None:
    engine = rig.engine(budget=8, sequences=1)
    engine.add(request_of("a", [1] * 10, max_tokens=2))
    engine.add(request_of("b", [2] * 7, max_tokens=2))
    assert engine.load().waiting_prefill_tokens == 17
    rig.step(engine)
    load = engine.load()
    assert (load.waiting, load.running, load.waiting_prefill_tokens) == (1, 1, 9)
    assert (load.free_blocks, load.total_blocks) == (61, 64)
