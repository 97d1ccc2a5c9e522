"""The scheduler's rules, one by one, without an executor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig
from goodput.core.request import GenerationRequest
from goodput.core.timeline import Timeline
from goodput.engine.executor import Sampled, StepPlan
from goodput.engine.scheduler import Scheduler
from goodput.engine.sequence import Sequence, SequenceStatus
from goodput.kv.block_pool import BlockPool

RequestOf = Callable[..., GenerationRequest]


class Bench:
    """A scheduler in blocks of 4, and shorthand for driving it by hand."""

    def __init__(self, request_of: RequestOf, blocks: int = 32, **limits: int) -> None:
        self.request_of = request_of
        defaults = {"token_budget": 8, "max_sequences": 4, "speculative_tokens": 0}
        config = EngineConfig(block_size=4, **{**defaults, **limits})
        self.scheduler = Scheduler(config, BlockPool(0, blocks, 4), ManualClock())
        self.count = 0

    def add(self, name: str, length: int, **fields: object) -> Sequence:
        """A request whose prompt no other shares."""
        self.count += 1
        prompt = [self.count * 1000 + i for i in range(length)]
        request = self.request_of(name, prompt, **{"max_tokens": 100, **fields})
        sequence = Sequence(request, Timeline(received=0.0), self.count)
        self.scheduler.add(sequence)
        return sequence

    def step(self, token: int = 1) -> list[tuple[str, int, int, bool]]:
        """Schedule and commit; (id, start, count, samples) of each chunk."""
        plan = self.scheduler.schedule()
        self.scheduler.commit(plan, [[Sampled(token)] if x.samples else [] for x in plan.chunks])
        return [(x.sequence.id, x.start, x.count, x.samples) for x in plan.chunks]


def test_decodes_come_first_and_prompts_fill_the_rest(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    bench.add("a", 3)
    assert bench.step() == [("a", 0, 3, True)]
    bench.add("b", 12)
    bench.add("c", 9)
    assert bench.step() == [("a", 3, 1, True), ("b", 0, 7, False)]
    assert bench.step() == [("a", 4, 1, True), ("b", 7, 5, True), ("c", 0, 2, False)]
    assert bench.step() == [("a", 5, 1, True), ("b", 12, 1, True), ("c", 2, 6, False)]


def test_a_saturated_step_takes_on_no_other_prompt(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=99, token_budget=20, saturation_tokens=6)
    for name, length in (("a", 4), ("b", 9), ("c", 25)):
        bench.add(name, length, max_tokens=1)
    assert bench.step() == [("a", 0, 4, True), ("b", 0, 9, True)]
    assert bench.step() == [("c", 0, 20, False)], "alone, a long prompt may use the whole budget"
    bench.add("d", 3, max_tokens=1)
    assert bench.step() == [("c", 20, 5, True), ("d", 0, 3, True)]


def test_prefill_is_short_while_others_decode(request_of: RequestOf) -> None:
    bench = Bench(request_of, token_budget=20, saturation_tokens=6)
    bench.add("a", 3)
    bench.step()
    bench.add("b", 10)
    assert bench.step() == [("a", 3, 1, True), ("b", 0, 6, False)]
    assert bench.step() == [("a", 4, 1, True), ("b", 6, 4, True)]


def test_no_more_sequences_than_allowed(request_of: RequestOf) -> None:
    bench = Bench(request_of, max_sequences=2)
    for name in "abc":
        bench.add(name, 1, max_tokens=2)
    assert [x[0] for x in bench.step()] == ["a", "b"]
    assert [x[0] for x in bench.step()] == ["a", "b"]
    assert [x[0] for x in bench.step()] == ["c"]


def test_priority_before_arrival(request_of: RequestOf) -> None:
    bench = Bench(request_of, max_sequences=1)
    for name, priority in (("late", 1), ("first", 0), ("urgent", -1), ("second", 0)):
        bench.add(name, 1, priority=priority, max_tokens=1)
    assert [bench.step()[0][0] for _ in range(4)] == ["urgent", "first", "second", "late"]


def test_a_prompt_waits_until_all_of_it_fits(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=4, token_budget=16)
    bench.add("a", 8, max_tokens=2)
    bench.add("b", 9)
    bench.add("c", 1)
    assert [x[0] for x in bench.step()] == ["a"], "b does not fit, and c does not overtake it"
    bench.step()
    assert [x[0] for x in bench.step()] == ["b"], "c would take the block that b needs next"


def test_the_last_in_order_gives_its_blocks(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=4, token_budget=16)
    a = bench.add("a", 4)
    b = bench.add("b", 4)
    bench.step()
    assert len(bench.scheduler.running) == 2
    for _ in range(4):
        bench.step()
    assert (len(a.blocks), len(b.blocks)) == (2, 2)
    bench.step()
    assert (a.status, b.status) == (SequenceStatus.RUNNING, SequenceStatus.WAITING)
    assert b.num_computed == 0 and b.blocks == []
    assert bench.scheduler.preemptions == 1
    assert bench.scheduler.waiting[0] is b


def test_a_preempted_sequence_reuses_what_is_still_cached(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=5, token_budget=16)
    a, b = bench.add("a", 4, max_tokens=6), bench.add("b", 8, max_tokens=9)
    chunks = [chunk for _ in range(16) for chunk in bench.step()]
    assert b.status is SequenceStatus.FINISHED and a.status is SequenceStatus.FINISHED
    assert bench.scheduler.preemptions == 1
    again = [x for x in chunks if x[0] == "b" and x[2] > 1]
    assert len(again) == 2 and again[1][1] > 0, "the second prefill starts behind cached blocks"
    assert b.num_cached == 0, "that is no reuse that the client gained from"


def test_a_full_prefix_hit_leaves_one_token(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    prompt = list(range(8))
    for number in range(2):
        request = request_of(f"r{number}", prompt, max_tokens=1)
        sequence = Sequence(request, Timeline(received=0.0), number)
        bench.scheduler.add(sequence)
        assert bench.step() == [(f"r{number}", 4 * number, 8 - 4 * number, True)]
    assert sequence.num_cached == 4


def test_generated_blocks_are_reused_too(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    first = bench.add("a", 3, max_tokens=6)
    for _ in range(6):
        bench.step()
    assert first.status is SequenceStatus.FINISHED
    follow_up = Sequence(request_of("b", [*first.tokens, 5, 6]), Timeline(received=0.0), 9)
    bench.scheduler.add(follow_up)
    assert bench.step() == [("b", 8, 3, True)]


def test_a_token_that_was_only_sampled_is_not_cached(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    first = bench.add("a", 3, max_tokens=1)
    bench.step()
    assert len(first.tokens) == 4, "a full block, but its last position was never computed"
    follow_up = Sequence(request_of("b", [*first.tokens, 5]), Timeline(received=0.0), 9)
    bench.scheduler.add(follow_up)
    assert bench.step() == [("b", 0, 5, True)]


def test_blocks_that_were_only_planned_are_not_cached(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    cancelled = bench.add("a", 20)
    assert bench.step() == [("a", 0, 8, False)]
    bench.scheduler.cancel(cancelled)
    again = Sequence(request_of("b", cancelled.tokens), Timeline(received=0.0), 9)
    bench.scheduler.add(again)
    assert bench.step() == [("b", 8, 8, False)]


def test_a_preempted_sequence_fills_the_cache_again(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=4, token_budget=16)
    bench.add("a", 4, max_tokens=13)
    b = bench.add("b", 4, max_tokens=6)
    while b.status is not SequenceStatus.FINISHED:
        bench.step()
    assert bench.scheduler.preemptions == 1
    follow_up = Sequence(request_of("c", b.tokens), Timeline(received=0.0), 9)
    bench.scheduler.add(follow_up)
    assert bench.step()[0][1] == 8


@pytest.mark.parametrize(
    ("length", "reason"), [(0, "error"), (15, None), (16, "error"), (99, "error")]
)
def test_what_can_never_fit_ends_with_an_error(
    request_of: RequestOf, length: int, reason: str | None
) -> None:
    bench = Bench(request_of, blocks=4)
    sequence = bench.add("a", length)
    other = bench.add("b", 1)
    bench.step()
    assert sequence.finish_reason == reason
    assert other.num_computed == (1 if reason else 0)


def test_a_lone_sequence_ends_where_the_pool_does(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=2)
    sequence = bench.add("a", 5)
    for _ in range(3):
        bench.step()
    assert sequence.finish_reason == "length"
    assert len(sequence.tokens) == 8


def test_a_plan_needs_all_its_results(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    bench.add("a", 1)
    plan = bench.scheduler.schedule()
    with pytest.raises(ValueError, match="zip"):
        bench.scheduler.commit(plan, [])
    with pytest.raises(ValueError, match="no token for the request a"):
        bench.scheduler.commit(plan, [[]])


def test_an_idle_scheduler_plans_nothing(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    assert not bench.scheduler.has_work
    assert bench.scheduler.schedule() == StepPlan([])


def test_guesses_are_asked_for_only_where_tokens_are_due(request_of: RequestOf) -> None:
    """A step may only report a refusal: whoever guesses would find no chunk to guess for."""
    bench = Bench(request_of, blocks=4)
    asked: list[int] = []
    bench.scheduler.guess = lambda plan, config, limit: asked.append(len(plan.chunks))
    bench.add("a", 99)
    assert bench.scheduler.has_work
    bench.step()
    assert asked == []
    bench.add("b", 3)
    bench.step()
    bench.step()
    assert asked == [1]
