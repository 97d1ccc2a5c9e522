"""The model of drawn games against closed forms, and against its own definition."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.arena.results.davidson import PRIOR_DEVIATION, Pair, strengths

PAIRS: list[Pair] = [(0, 1), (0, 2), (1, 2)]

counted = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=3, max_size=3)


def fit(*counts: tuple[float, float, float]) -> list[float]:
    found = strengths(PAIRS[: len(counts)], np.array([counts], float), 3 if counts[1:] else 2)
    return [float(value) for value in found[0]]


def test_two_players_differ_by_the_log_of_wins_over_losses_however_many_they_drew() -> None:
    # Two parameters for three outcomes: the model can say any shares, so it says those seen.
    for draws in (1e4, 4e6):
        first, second = fit((6e6, draws, 2e6))
        assert first - second == pytest.approx(log(3), rel=1e-3)
        assert first + second == pytest.approx(0)


def test_three_players_whose_odds_multiply() -> None:
    # 2:1, 4:1 and 2:1 are explained to the last game by strengths 4, 2 and 1.
    found = fit((2e6, 0, 1e6), (4e6, 0, 1e6), (2e6, 0, 1e6))
    assert found == pytest.approx([log(2), 0, -log(2)], abs=1e-3)


def test_the_prior_decides_where_games_do_not() -> None:
    assert fit((0, 0, 0)) == [0, 0]
    assert fit((0, 9, 0)) == pytest.approx([0, 0])
    # One game won: the slope of the likelihood and that of the prior meet.
    first, second = fit((1, 0, 0))
    eta = _solved(lambda x: -exp(x) / (_total(first, x)) - x / PRIOR_DEVIATION**2)
    slope = 1 - exp(first) / _total(first, eta) - 0.5 * exp(eta) / _total(first, eta)
    assert slope == pytest.approx(first / PRIOR_DEVIATION**2, abs=1e-6)
    assert second == -first


@settings(deadline=None)
@given(counted)
def test_nothing_near_is_more_likely(counts: list[tuple[int, int, int]]) -> None:
    """The whole posterior, by its definition: no other strengths beat those found, whatever the
    tendency to draw."""
    found = fit(*counts)
    best = _log_posterior(found, counts)
    for index in range(3):
        for step in (-0.1, 0.1):
            near = found.copy()
            near[index] += step
            assert _log_posterior(near, counts) < best


@settings(deadline=None)
@given(counted)
def test_names_do_not_matter(counts: list[tuple[int, int, int]]) -> None:
    found = fit(*counts)
    for order in permutations(range(3)):
        pairs = [(order[first], order[second]) for first, second in PAIRS]
        renamed = strengths(pairs, np.array([counts], float), 3)[0]
        assert [renamed[place] for place in order] == pytest.approx(found, abs=1e-6)


@settings(deadline=None)
@given(counted, st.integers(0, 2))
def test_another_win_never_makes_the_winner_weaker(
    counts: list[tuple[int, int, int]], pair: int
) -> None:
    wins, draws, losses = counts[pair]
    more = [*counts[:pair], (wins + 1, draws, losses), *counts[pair + 1 :]]
    winner, loser = PAIRS[pair]
    before, after = fit(*counts), fit(*more)
    assert after[winner] - after[loser] > before[winner] - before[loser]


def test_samples_are_fitted_each_by_itself() -> None:
    samples = np.random.default_rng(0).integers(0, 5, (7, 3, 3)).astype(float)
    together = strengths(PAIRS, samples, 3)
    for row, sample in zip(together, samples, strict=True):
        assert row == pytest.approx(strengths(PAIRS, sample[None], 3)[0], abs=1e-6)


def test_a_thousand_wins_stay_finite() -> None:
    first, second = fit((1000, 0, 0))
    assert 5 < first - second < 30


def _log_posterior(theta: list[float], counts: list[tuple[int, int, int]]) -> float:
    """With the likeliest of many tendencies to draw."""
    eta = np.linspace(-9, 9, 1801)
    found = -(sum(x * x for x in theta) + eta**2) / (2 * PRIOR_DEVIATION**2)
    for (first, second), row in zip(PAIRS, counts, strict=True):
        a, b = theta[first], theta[second]
        utilities = np.stack([np.full_like(eta, a), eta + (a + b) / 2, np.full_like(eta, b)])
        found += row @ (utilities - np.log(np.exp(utilities).sum(axis=0)))
    return float(found.max())


def _total(theta: float, eta: float) -> float:
    return exp(theta) + exp(eta) + exp(-theta)


def _solved(falling: Callable[[float], float]) -> float:
    low, high = -20.0, 20.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return low
