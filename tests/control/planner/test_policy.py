"""The planner's decisions: bounded, calm under steady needs, deaf to too little news."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.control.planner.policy import Decision, Memory, Needs, Observation, Split, decide
from goodput.core.operations_config import PlannerConfig

CONFIG = PlannerConfig(enabled=True)
BUSY = 100


def apply(split: Split, decision: Decision) -> Split:
    role = decision.role
    if role is None:
        return split
    if decision.action == "flip":
        other = "decode" if role == "prefill" else "prefill"
        return split.changed(role, 1).changed(other, -1)  # type: ignore[arg-type]
    return split.changed(role, 1 if decision.action == "add" else -1)


class Run:
    """The policy over time, its decisions carried out at once."""

    def __init__(self, split: Split, bounds: tuple[int, int]) -> None:
        self.split = split
        self.bounds = bounds
        self.memory = Memory()
        self.now = 0.0
        self.changes: list[tuple[float, Decision]] = []

    def go(self, needs: Needs | None, seconds: float = 1.0, **seen: object) -> Decision:
        for _ in range(math.ceil(seconds / CONFIG.interval_s)):
            self.now += CONFIG.interval_s
            moment = Observation(at=self.now, split=self.split, needs=needs, requests=BUSY)
            moment = replace(moment, **seen)  # type: ignore[arg-type]
            decision, self.memory = decide(moment, self.memory, CONFIG, self.bounds)
            self.split = apply(self.split, decision)
            if decision.action != "none":
                self.changes.append((self.now, decision))
            assert self.split.serves
            assert self.bounds[0] <= self.split.workers <= self.bounds[1]
        return decision


amounts = st.floats(0, 12, allow_nan=False)
all_needs = st.builds(Needs, amounts, amounts)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Split, tuple[int, int]]:
    if draw(st.booleans()):
        split = Split(mixed=draw(st.integers(1, 6)))
        fewest = 1
    else:
        split = Split(prefill=draw(st.integers(1, 4)), decode=draw(st.integers(1, 4)))
        fewest = 2
    least = draw(st.integers(fewest, split.workers))
    return split, (least, draw(st.integers(split.workers, split.workers + 4)))


@given(fleets(), all_needs, st.sampled_from([None, 0.5, 0.95]))
def test_steady_needs_come_to_rest_and_no_split_comes_back(
    fleet: tuple[Split, tuple[int, int]], needs: Needs, attainment: float | None
) -> None:
    run = Run(*fleet)
    seen = {run.split}
    for _ in range(40):
        before = run.split
        run.go(needs, 40.0, attainment=attainment)
        if run.split == before:
            break
        seen.add(run.split)
    changes = len(run.changes)
    run.go(needs, 200.0, attainment=attainment)
    assert len(run.changes) == changes, run.changes
    # Growing and then shrinking again would be a swing.
    actions = [decision.action for _, decision in run.changes]
    assert not ("add" in actions and "remove" in actions), run.changes


@given(fleets(), st.lists(all_needs, min_size=1, max_size=12))
def test_changes_keep_their_distance_and_their_bounds_under_any_needs(
    fleet: tuple[Split, tuple[int, int]], course: list[Needs]
) -> None:
    run = Run(*fleet)
    for needs in course:
        run.go(needs, 3.0)
    times = [at for at, _ in run.changes]
    assert all(b - a >= CONFIG.cooldown_s for a, b in pairwise(times))


@given(fleets(), all_needs, all_needs)
def test_needs_that_swing_faster_than_it_reacts_change_nothing(
    fleet: tuple[Split, tuple[int, int]], one: Needs, other: Needs
) -> None:
    """One look each, in turn: whatever they want, no wish lasts, unless both want the same."""
    run = Run(*fleet)
    wishes = set()
    for needs in (one, other):
        moment = Observation(at=0, split=run.split, needs=needs, requests=BUSY)
        wishes.add(decide(moment, Memory(), CONFIG, run.bounds)[1].wanted)
    for _ in range(40):
        run.go(one, CONFIG.interval_s)
        run.go(other, CONFIG.interval_s)
    if len(wishes) == 2:
        assert run.changes == []


def test_a_side_that_is_short_gets_a_worker_of_the_other() -> None:
    run = Run(Split(prefill=2, decode=2), (4, 4))
    run.go(Needs(2.6, 0.9), 2.0)
    assert run.split == Split(prefill=3, decode=1)
    assert run.changes[0][1].reason == "prefill-short"
    run.go(Needs(0.5, 2.4), 60.0)
    assert run.split == Split(prefill=1, decode=3)


def test_the_last_worker_of_a_role_is_never_taken() -> None:
    run = Run(Split(prefill=1, decode=1), (2, 2))
    assert run.go(Needs(50.0, 0.0), 60.0) == Decision("none", "at-limit")


def test_a_flip_that_only_moves_the_shortage_is_not_made() -> None:
    run = Run(Split(prefill=2, decode=2), (4, 4))
    assert run.go(Needs(2.2, 1.9), 60.0) == Decision("none", "at-limit")


def test_no_traffic_shrinks_to_the_least_and_rests() -> None:
    run = Run(Split(prefill=2, decode=2), (2, 4))
    run.go(Needs(), 300.0, requests=0)
    assert run.split == Split(prefill=1, decode=1)
    assert [decision.action for _, decision in run.changes] == ["remove", "remove"]


def test_broken_promises_add_a_worker_though_pressure_looks_fine() -> None:
    run = Run(Split(mixed=1), (1, 2))
    run.go(Needs(0.3, 0.3), 5.0, attainment=0.99)
    assert run.split.workers == 1
    run.go(Needs(0.3, 0.3), 5.0, attainment=0.5)
    assert run.split.workers == 2


def test_nothing_shrinks_while_promises_are_broken() -> None:
    run = Run(Split(mixed=2), (1, 2))
    run.go(Needs(0.1, 0.1), 300.0, attainment=0.5)
    assert run.split.workers == 2


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"needs": None}, "costs-unknown"),
        ({"settled": False}, "unsettled"),
        ({"requests": 3}, "few-requests"),
    ],
)
def test_too_little_news_changes_nothing(seen: dict[str, object], reason: str) -> None:
    run = Run(Split(prefill=2, decode=2), (2, 6))
    assert run.go(seen.pop("needs", Needs(9.0, 0.1)), 60.0, **seen).reason == reason  # type: ignore[arg-type]
    assert run.changes == []
