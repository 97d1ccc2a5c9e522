"""The highest rate that keeps a promise, by bracketing and halving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goodput.bench.search.policy import Bounds, RateSearch
from goodput.core.slo import SLO
from goodput.plan.search.candidate import Candidate
from goodput.plan.search.demand import Demand
from goodput.plan.search.judge import FleetJudge, Judge

# Of the limit: no rate nearer to it is tried, because a queue that just holds has no steady state
# within a simulation's length.
MOST_OF_LIMIT = 0.98
_LEAST_OF_LIMIT = 2.0**-12
_STEP = 1.3
_FIRST_GUESS = 0.6
# Where an interval's windows are, as multiples of the goodput: at the knee and on both sides.
_AROUND = (0.9, 0.96, 1.0, 1.0, 1.04, 1.1)

Sample = Callable[[int], Demand]


@dataclass(frozen=True, slots=True)
class Task:
    """Find the goodput of a candidate whose limit is ``limit``, if it is above ``floor``."""

    candidate: Candidate
    demand: Demand
    slo: SLO
    floor: float
    limit: float


@dataclass(frozen=True, slots=True)
class Found:
    """``goodput`` is None where the floor was not kept: attainment there was ``at_floor``."""

    goodput: float | None
    at_floor: float = 0.0


def find(task: Task) -> Found:
    """Do one task, by the compiled model."""
    candidate, demand, target = task.candidate, task.demand, task.slo.target
    judge = FleetJudge(task.slo)
    start = task.limit * _FIRST_GUESS
    if task.floor > 0:
        share = judge.attainment(candidate, task.floor, demand)
        if share < target:
            return Found(None, share)
        start = task.floor * 1.05
    rate = highest_rate(
        lambda rate: judge.attainment(candidate, rate, demand) >= target,
        start=start,
        limit=task.limit,
    )
    return Found(max(rate, task.floor))


def highest_rate(
    keeps: Callable[[float], bool], *, start: float, limit: float, tolerance: float = 0.01
) -> float:
    """The highest rate under ``limit`` (requests/s) that ``keeps``, to within ``tolerance``.

    0 when none does. ``start`` is tried first; ``keeps`` is taken to hold below what it holds at.
    """
    highest = limit * MOST_OF_LIMIT
    rate = min(start, highest)
    if keeps(rate):
        kept = rate
        while kept < highest:
            rate = min(kept * _STEP, highest)
            if not keeps(rate):
                break
            kept = rate
        else:
            return kept
        missed = rate
    else:
        missed = rate
        while True:
            rate = missed / _STEP**2
            if rate < limit * _LEAST_OF_LIMIT:
                return 0.0
            if keeps(rate):
                break
            missed = rate
        kept = rate
    while missed > kept * (1 + tolerance):
        middle = (kept * missed) ** 0.5
        if keeps(middle):
            kept = middle
        else:
            missed = middle
    return kept


def with_interval(
    candidate: Candidate,
    judge: Judge,
    samples: Sequence[Demand],
    slo: SLO,
    *,
    goodput: float,
    limit: float,
) -> Bounds:
    """The goodput with its 95 % bootstrap interval, from a window of each sample around it.

    Curve and bootstrap are those that ``goodput bench search`` judges a server by.
    """
    factors = [_AROUND[number % len(_AROUND)] for number in range(len(samples))]
    rates = [min(goodput * factor, limit * MOST_OF_LIMIT) for factor in factors]
    search = RateSearch(
        start=goodput, lowest=min(rates), highest=max(*rates, goodput), target=slo.target
    )
    for rate, sample in zip(rates, samples, strict=True):
        search.judge(rate, judge(candidate, rate, sample))
    return search.bounds()
