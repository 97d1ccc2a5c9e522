"""Arrival processes: seeded, sorted, of the mean rate and the shape that they promise."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.bench.arrivals import FORMS, Arrivals, ClosedLoop, Recorded, parse_arrivals
from goodput.bench.arrivals.processes import Bursts, Constant, Gamma, Poisson, Ramp
from goodput.core.errors import UsageError

PROCESSES: list[Arrivals] = [
    Constant(),
    Poisson(),
    Gamma(0.3),
    Gamma(4.0),
    Ramp(0.0, 1.0),
    Ramp(3.0, 1.0),
    Ramp(1.0, 1.0),
    Bursts(on=2.0, off=3.0),
]


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(times)]


@given(
    arrivals=st.sampled_from(PROCESSES),
    rate=st.floats(0.1, 50),
    start=st.floats(-50, 100),
    length=st.floats(0, 20),
    seed=st.integers(),
)
def test_schedules_are_sorted_inside_and_repeatable(
    arrivals: Arrivals, rate: float, start: float, length: float, seed: int
) -> None:
    times = arrivals.times(rate, start, start + length, seed)
    assert times == sorted(times)
    assert all(start <= time < start + length for time in times)
    assert times == arrivals.times(rate, start, start + length, seed)


@pytest.mark.parametrize("arrivals", PROCESSES, ids=lambda arrivals: arrivals.label)
def test_the_rate_is_the_mean_rate_whatever_the_process(arrivals: Arrivals) -> None:
    times = arrivals.times(10.0, 5.0, 2005.0, 1)
    assert len(times) == pytest.approx(20_000, rel=0.04)


@pytest.mark.parametrize("arrivals", PROCESSES[1:], ids=lambda arrivals: arrivals.label)
def test_seeds_differ(arrivals: Arrivals) -> None:
    assert arrivals.times(1.0, 0.0, 50.0, 1) != arrivals.times(1.0, 0.0, 50.0, 2)


@pytest.mark.parametrize("arrivals", [Constant(), Poisson(), Gamma(0.3), Ramp(0.0, 1.0)])
def test_another_rate_keeps_the_pattern(arrivals: Arrivals) -> None:
    slow, fast = arrivals.times(1.0, 0.0, 50.0, 1), arrivals.times(2.0, 0.0, 25.0, 1)
    assert fast == pytest.approx([time / 2 for time in slow])


def test_poisson_gaps_are_exponential() -> None:
    found = gaps(Poisson().times(10.0, 0.0, 2000.0, seed=1))
    assert statistics.mean(found) == pytest.approx(0.1, rel=0.03)
    assert statistics.stdev(found) == pytest.approx(0.1, rel=0.03)
    assert sum(gap > 0.1 for gap in found) / len(found) == pytest.approx(0.3679, abs=0.015)


@pytest.mark.parametrize("burstiness", [0.25, 1.0, 4.0])
def test_burstiness_is_the_shape_of_the_gaps(burstiness: float) -> None:
    found = gaps(Gamma(burstiness).times(10.0, 0.0, 2000.0, seed=1))
    variation = statistics.stdev(found) / statistics.mean(found)
    assert variation == pytest.approx(burstiness**-0.5, rel=0.05)


def test_constant_arrivals_do_not_drift() -> None:
    times = Constant().times(3.0, 5.0, 1005.0, seed=0)
    assert len(times) == 3000
    assert times[-1] == pytest.approx(5.0 + 2999 / 3, abs=1e-9)


def test_a_ramp_rises_linearly() -> None:
    times = Ramp(0.0, 1.0).times(100.0, 0.0, 100.0, seed=1)
    # Of a line from 0, a quarter lies in the first half and 9/16 in the first three quarters.
    assert sum(time < 50 for time in times) / len(times) == pytest.approx(1 / 4, abs=0.02)
    assert sum(time < 75 for time in times) / len(times) == pytest.approx(9 / 16, abs=0.02)
    falling = Ramp(3.0, 1.0).times(100.0, 0.0, 100.0, seed=1)
    assert sum(time < 50 for time in falling) / len(falling) == pytest.approx(5 / 8, abs=0.02)


def test_nothing_comes_between_bursts() -> None:
    times = Bursts(on=2.0, off=3.0).times(10.0, 100.0, 200.0, seed=1)
    assert {int((time - 100.0) % 5.0 < 2.0) for time in times} == {1}
    assert len({(time - 100.0) // 5.0 for time in times}) == 20


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf"), 1e9])
@pytest.mark.parametrize("arrivals", PROCESSES, ids=lambda arrivals: arrivals.label)
def test_impossible_rates_are_refused(arrivals: Arrivals, rate: float) -> None:
    with pytest.raises(UsageError):
        arrivals.times(rate, 0.0, 10.0, 0)


@pytest.mark.parametrize("text", FORMS)
def test_every_form_that_the_help_names_is_read(text: str) -> None:
    arrivals = parse_arrivals(text)
    if not isinstance(arrivals, ClosedLoop):
        assert arrivals.label == text
        assert parse_arrivals(arrivals.label) == arrivals


def test_what_is_read() -> None:
    assert parse_arrivals("gamma:0.5") == Gamma(0.5)
    assert parse_arrivals("ramp:0.5..1.5") == Ramp(0.5, 1.5)
    assert parse_arrivals("burst:off=500ms,on=5s") == Bursts(on=5.0, off=0.5)
    assert parse_arrivals("trace") == Recorded()
    assert parse_arrivals("closed:8") == ClosedLoop(8)
    assert parse_arrivals("closed:8").label == "closed loop of 8"


@pytest.mark.parametrize(
    "text",
    [
        *("", "poison", "poisson:1", "gamma", "gamma:", "gamma:x", "gamma:0", "gamma:nan"),
        *("ramp", "ramp:1", "ramp:1..x", "ramp:0..0", "ramp:-1..2", "ramp:inf..1", "ramp:nan..1"),
        *(
            "burst",
            "burst:on=5s",
            "burst:on=0s,off=1s",
            "burst:on=x,off=1s",
            "burst:on=1s,off=1s,x=1",
        ),
        *("closed", "closed:0", "closed:1.5", "closed:-3"),
    ],
)
def test_what_is_no_process_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_arrivals(text)


def test_special_arrivals_have_no_times_of_their_own() -> None:
    with pytest.raises(UsageError, match="only a trace"):
        Recorded().times(1.0, 0.0, 1.0, 0)
    with pytest.raises(UsageError, match="closed loop"):
        ClosedLoop(2).times(1.0, 0.0, 1.0, 0)
