"""Who is next: least slack, tenants' shares, priorities, and that nobody waits for ever."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.router.queue import FairQueue, Turn

NEVER = 1e9


def turn(
    start_by: float, tenant: str = "t", priority: int = 0, *, arrived: float = 0.0, tokens: int = 10
) -> Turn:
    return Turn(arrived, start_by, tokens, tenant, priority)


def queue_of(*turns: Turn, aging_s: float = NEVER, **weights: float) -> FairQueue[int]:
    queue: FairQueue[int] = FairQueue(aging_s, weights)
    for number, each in enumerate(turns):
        queue.add(number, each)
    return queue


def serve_all(queue: FairQueue[int], now: float = 0.0) -> list[int]:
    served = []
    while queue:
        served.append(next(queue.in_order(now)).item)
        queue.serve(served[-1])
    return served


def test_least_slack_first_then_by_arrival() -> None:
    assert serve_all(queue_of(turn(5), turn(3), turn(9), turn(3))) == [1, 3, 0, 2]


def test_those_that_cannot_keep_their_promise_come_after_those_that_can() -> None:
    assert serve_all(queue_of(turn(1), turn(2), turn(6), turn(4)), now=3) == [3, 2, 0, 1]


def test_a_lower_priority_number_goes_first_whatever_its_slack() -> None:
    assert serve_all(queue_of(turn(1, priority=1), turn(9), turn(1, priority=-1))) == [2, 1, 0]


def test_tenants_get_service_by_weight() -> None:
    turns = [turn(0, "gold") for _ in range(40)] + [turn(0, "plain") for _ in range(40)]
    served = serve_all(queue_of(*turns, gold=3.0))
    gold = sum(item < 40 for item in served[:40])
    assert gold == pytest.approx(30, abs=1)


def test_the_work_counts_and_not_the_number_of_requests() -> None:
    turns = [turn(0, "long", tokens=100) for _ in range(40)]
    turns += [turn(0, "short", tokens=10) for _ in range(40)]
    served = serve_all(queue_of(*turns))
    assert sum(item < 40 for item in served[:33]) == pytest.approx(3, abs=1)


def test_answers_count_too() -> None:
    queue = queue_of(turn(0, "a"), turn(0, "b"), turn(0, "a"), turn(0, "b"))
    queue.charge("a", 1000)
    assert serve_all(queue) == [1, 3, 0, 2]


def test_a_tenant_that_paused_has_saved_nothing_up() -> None:
    queue = queue_of(*[turn(0, "busy") for _ in range(50)])
    for _ in range(30):
        queue.serve(next(queue.in_order(0)).item)
    for number in range(100, 130):
        queue.add(number, turn(0, "back"))
    served = [
        next(queue.in_order(0)).item
        for _ in range(20)
        if queue.serve(next(queue.in_order(0)).item) is None
    ]
    assert 8 <= sum(item >= 100 for item in served) <= 12


def test_others_are_offered_when_the_first_cannot_be_served() -> None:
    queue = queue_of(turn(1, "a"), turn(2, "a"), turn(9, "b"), turn(0, "a", 1))
    assert [waiting.item for waiting in queue.in_order(0)] == [0, 1, 2, 3]


def test_aged_requests_have_every_fourth_turn_and_are_offered_once() -> None:
    aged = [turn(5, priority=9), turn(5, priority=9)]
    queue = queue_of(*aged, *[turn(20, arrived=8) for _ in range(6)], aging_s=10)
    order = [waiting.item for waiting in queue.in_order(12)]
    assert order == [0, 2, 3, 4, 5, 1]
    assert serve_all(queue, now=12) == [0, 2, 3, 4, 1, 5, 6, 7]


def test_discarding_leaves_no_trace_and_twice_is_harmless() -> None:
    queue = queue_of(turn(1, "a"), turn(2, "b"))
    queue.discard(0)
    queue.discard(0)
    assert 0 not in queue
    assert queue.tokens == 10
    with pytest.raises(ValueError, match="waits already"):
        queue.add(1, turn(3))
    assert serve_all(queue) == [1]
    assert queue.tokens == 0
    assert list(queue.in_order(0)) == []


def test_overdue_are_those_whose_start_has_passed() -> None:
    queue = queue_of(turn(1, "a"), turn(2, "b"), turn(3, priority=2), turn(9))
    assert sorted(queue.overdue(2.5)) == [0, 1]
    assert [each.start_by for each in queue.turns()] == [1, 2, 3, 9]


def test_tenants_without_end_are_forgotten() -> None:
    queue: FairQueue[int] = FairQueue(NEVER, {})
    for number in range(5000):
        queue.add(number, turn(0, f"tenant-{number}"))
        queue.serve(number)
    assert len(queue._service) <= 1024


turns = st.builds(
    turn,
    st.floats(0, 100),
    st.sampled_from("abc"),
    st.integers(-2, 2),
    tokens=st.integers(1, 1000),
)


@given(st.lists(turns, max_size=20), st.lists(turns, min_size=1, max_size=5), st.integers(0, 19))
def test_nobody_starves(first: list[Turn], flood: list[Turn], victim: int) -> None:
    """However urgent, privileged or many the newcomers are: 4 (k + 1) turns after it aged."""
    aging_s = 5.0
    worst = Turn(0.0, 1e6, 10, "z", priority=1000)
    waiting = [*first[:victim], worst]
    queue: FairQueue[int] = FairQueue(aging_s, {"z": 0.001})
    queue.charge("z", 1_000_000)
    for number, each in enumerate(waiting):
        queue.add(number, each)
    now = aging_s
    for served in range(4 * len(waiting)):
        # Each turn another one comes, and it is always of the most urgent kind.
        late = flood[served % len(flood)]
        queue.add(1000 + served, Turn(now, now, late.tokens, late.tenant, -5))
        queue.serve(next(queue.in_order(now)).item)
        if len(waiting) - 1 not in queue:
            return
    raise AssertionError("it starved")


@given(st.lists(st.tuples(st.sampled_from(["add", "serve", "discard"]), turns, st.integers(0, 40))))
def test_nothing_is_lost_or_served_twice(history: list[tuple[str, Turn, int]]) -> None:
    queue: FairQueue[int] = FairQueue(3.0, {"a": 2.0})
    alive: dict[int, Turn] = {}
    for number, (what, each, victim) in enumerate(history):
        if what == "add":
            queue.add(number, each)
            alive[number] = each
        elif what == "discard":
            queue.discard(victim)
            alive.pop(victim, None)
        elif alive:
            chosen = next(queue.in_order(float(number))).item
            queue.serve(chosen)
            assert alive.pop(chosen)
        order = [waiting.item for waiting in queue.in_order(float(number))]
        assert len(set(order)) == len(order)
        assert bool(order) == bool(alive)
        assert len(queue) == len(alive)
        assert queue.tokens == sum(each.tokens for each in alive.values())
        assert Counter(queue.turns()) == Counter(alive.values())


@given(st.lists(turns, min_size=1, max_size=40))
def test_shares_differ_by_no_more_than_one_request(items: list[Turn]) -> None:
    """While all tenants have work, their services lie within the largest request of each other."""
    queue: FairQueue[int] = FairQueue(NEVER, {})
    same = [Turn(0.0, each.start_by, each.tokens, each.tenant) for each in items]
    for number, each in enumerate(same):
        queue.add(number, each)
    got: Counter[str] = Counter()
    left = Counter(each.tenant for each in same)
    largest = max(each.tokens for each in same)
    while queue:
        item = next(queue.in_order(0.0)).item
        queue.serve(item)
        got[same[item].tenant] += same[item].tokens
        left[same[item].tenant] -= 1
        if any(not left[tenant] for tenant in left):
            return
        assert max(got[t] for t in left) - min(got[t] for t in left) <= 2 * largest
