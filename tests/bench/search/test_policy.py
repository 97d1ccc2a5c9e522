"""The search's policy against made-up systems whose goodput is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bench.search.synthetic import Curve, cliff, found, slope

from goodput.bench.search.policy import RateSearch
from goodput.core.errors import UsageError


def search(**settings: float) -> RateSearch:
    return RateSearch(**{"start": 1.0, "lowest": 0.25, "highest": 8.0, "target": 0.9} | settings)


def rates_of(search: RateSearch) -> list[float]:
    return [window.rate for window in search.windows]


def test_it_doubles_until_the_target_is_missed_then_asks_in_between() -> None:
    looking = search()
    for _ in range(6):
        rate = looking.next_rate()
        looking.judge(rate, [rate <= 3.0] * 40)
    assert rates_of(looking)[:3] == [1.0, 2.0, 4.0]
    assert all(2.0 <= rate <= 4.0 for rate in rates_of(looking)[3:])
    assert looking.bounds().low <= 3.0 <= looking.bounds().high


def test_it_halves_when_the_first_rate_is_too_much() -> None:
    looking = search()
    for _ in range(3):
        rate = looking.next_rate()
        looking.judge(rate, [rate <= 0.4] * 40)
    assert rates_of(looking) == [1.0, 0.5, 0.25]


def test_a_system_above_all_rates_is_said_to_be_censored() -> None:
    looking = search()
    while not looking.settled(0.1):
        assert len(looking.windows) < 30, "it must come to see that there is nothing to find"
        looking.judge(looking.next_rate(), [True] * 40)
    bounds = looking.bounds()
    assert (bounds.censored, bounds.rate, bounds.high) == ("above", 8.0, 8.0)
    assert str(bounds) == "at least 8 req/s"


def test_a_system_that_never_keeps_the_slo_is_said_to_be_censored() -> None:
    looking = search()
    while not looking.settled(0.1):
        assert len(looking.windows) < 30
        looking.judge(looking.next_rate(), [False] * 40)
    bounds = looking.bounds()
    assert (bounds.censored, bounds.rate, bounds.low) == ("below", 0.25, 0.25)
    assert str(bounds) == "below 0.25 req/s"


def test_a_window_that_failed_by_chance_is_outvoted() -> None:
    looking = search(highest=64.0)
    looking.judge(1.0, [True] * 30 + [False] * 10)
    curve, rng = cliff(5.0), random.Random(1)
    for _ in range(20):
        rate = looking.next_rate()
        looking.judge(rate, [rng.random() < curve(rate) for _ in range(60)])
    assert looking.bounds().high > 4.0, rates_of(looking)


def test_bursts_of_misses_widen_the_interval() -> None:
    mixed, in_bursts = search(), search()
    for rate, misses in ((1.0, 4), (2.0, 10), (1.5, 8), (1.2, 6), (1.8, 10)):
        flags = [False] * misses + [True] * (80 - misses)
        in_bursts.judge(rate, flags)
        random.Random(rate).shuffle(flags)
        mixed.judge(rate, flags)
    wide, narrow = in_bursts.bounds(), mixed.bounds()
    assert wide.high / wide.low > narrow.high / narrow.low


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("curve", [cliff, slope])
def test_it_finds_a_known_goodput(seed: int, curve: Callable[[float], Curve]) -> None:
    truth = 0.7 * 2.0**seed
    bounds = found(curve(truth), seed, windows=14).bounds()
    assert bounds.censored == "none"
    assert bounds.low <= truth <= bounds.high
    assert bounds.rate == pytest.approx(truth, rel=0.25)


@settings(max_examples=20, deadline=None)
@given(
    start=st.floats(0.25, 8.0),
    windows=st.lists(st.lists(st.booleans(), max_size=50), min_size=1, max_size=6),
)
def test_whatever_is_judged_rates_stay_in_range_and_bounds_in_order(
    start: float, windows: list[list[bool]]
) -> None:
    looking, again = search(start=start), search(start=start)
    for met in windows:
        rate = looking.next_rate()
        assert 0.25 <= rate <= 8.0
        assert again.next_rate() == rate, "the same windows ask the same rate"
        looking.judge(rate, met)
        again.judge(rate, met)
    if looking.windows:
        bounds = looking.bounds()
        assert 0 < bounds.low <= bounds.rate <= bounds.high < math.inf
        assert again.bounds() == bounds


def test_what_cannot_be_searched_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="0 < lowest ≤ first ≤ highest"):
        search(lowest=2.0)
    with pytest.raises(UsageError, match="below 100 %"):
        search(target=1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("curve", "sticky", "least"),
    [(cliff, 0.0, 0.90), (slope, 0.0, 0.90), (cliff, 0.7, 0.80)],
    ids=["cliff", "slope", "misses in long bursts"],
)
def test_the_interval_covers_the_truth(
    curve: Callable[[float], Curve], sticky: float, least: float
) -> None:
    runs = 60
    covered, errors = 0, []
    for seed in range(runs):
        truth = math.exp(random.Random(seed).uniform(math.log(0.5), math.log(8)))
        bounds = found(curve(truth), seed, windows=14, sticky=sticky).bounds()
        covered += bounds.low <= truth <= bounds.high
        errors.append(math.log(bounds.rate / truth))
    spread = math.sqrt(sum(error * error for error in errors) / runs)
    print(f"covered {covered}/{runs}, rms error {spread:.3f}")
    assert covered >= least * runs
    assert spread < 0.15
