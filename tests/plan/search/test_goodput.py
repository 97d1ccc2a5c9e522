"""The search over rates finds the edge of a cliff wherever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plan.search.toys import toy_candidate, toy_demand

from goodput.bench.search.policy import Bounds
from goodput.core.slo import SLO
from goodput.plan.search.goodput import MOST_OF_LIMIT, Task, find, highest_rate, with_interval
from goodput.plan.search.judge import FleetJudge


@given(edge=st.floats(0.01, 97.0), start=st.floats(0.01, 99.0))
def test_the_edge_is_found_within_the_tolerance(edge: float, start: float) -> None:
    tried: list[float] = []

    def keeps(rate: float) -> bool:
        tried.append(rate)
        return rate <= edge

    found = highest_rate(keeps, start=start, limit=100.0, tolerance=0.01)
    assert found <= edge * (1 + 1e-9)
    assert edge <= found * 1.0101 or edge < 100 / 4096 * 1.7
    assert max(tried) <= 100 * MOST_OF_LIMIT
    assert len(tried) < 60


def test_nothing_and_everything() -> None:
    assert highest_rate(lambda rate: False, start=1.0, limit=10.0) == 0.0
    assert highest_rate(lambda rate: True, start=1.0, limit=10.0) == pytest.approx(9.8)


def test_the_interval_holds_the_rate_and_depends_on_the_samples_alone() -> None:
    slo, candidate, demand = (
        SLO(ttft=0.6, tpot=0.2),
        toy_candidate(prefill=3, decode=1),
        toy_demand(),
    )
    found = find(Task(candidate, demand, slo, 0.0, 10.0))
    assert found.goodput

    def bounds(windows: int) -> Bounds:
        samples = [toy_demand(seed=seed) for seed in range(1, windows + 1)]
        return with_interval(
            candidate, FleetJudge(slo), samples, slo, goodput=found.goodput or 0.0, limit=10.0
        )

    known = bounds(6)
    assert known == bounds(6) != bounds(5)
    assert known.low < known.rate < known.high < 2 * known.low
    assert known.low < found.goodput < known.high
