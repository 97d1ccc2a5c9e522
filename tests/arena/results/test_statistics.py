"""Tests on samples so small that the chances can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goodput.arena.results.statistics import (
    anchored,
    glass_delta,
    holm,
    mean_interval,
    ratio_interval,
    sign_flip_p,
)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 1, 1], 2 / 8),  # only all plus and all minus are as far out
        ([3, 2, 1], 2 / 8),
        ([3, 2, -1], 4 / 8),  # sums of 6 or 4, either way
        ([1, -1], 1.0),
        ([0, 0], 1.0),
        ([], 1.0),
        ([1] * 10, 2 / 1024),
        ([0, 1, 1, 1], 2 / 8),  # a tie tells nothing
    ],
)
def test_the_chance_of_a_difference_is_counted(differences: list[float], p: float) -> None:
    assert sign_flip_p(differences) == pytest.approx(p)


@example([-2, -1, 9, 6, 9, -2, -19], 10)
@given(st.lists(st.integers(-9, 9), max_size=9), st.sampled_from([3, 7, 10, 49]))
def test_fractions_tie_as_whole_numbers_do(values: list[int], parts: int) -> None:
    """Means of several games are fractions, whose sums differ in their last bits."""
    assert sign_flip_p([value / parts for value in values]) == sign_flip_p(values)


def test_with_many_pairs_it_is_drawn() -> None:
    rng = np.random.default_rng(1)
    assert sign_flip_p(list(rng.normal(1.0, 1.0, 40))) < 0.001
    assert sign_flip_p(list(rng.normal(0.0, 1.0, 40))) > 0.05


@given(st.lists(st.integers(-9, 9), max_size=12), st.sampled_from([-3, 0.5, 7]))
def test_the_chance_depends_on_nothing_but_the_shape(values: list[int], factor: float) -> None:
    p = sign_flip_p(values)
    assert 0 < p <= 1
    assert sign_flip_p([factor * value for value in values]) == pytest.approx(p)
    assert sign_flip_p(values[::-1]) == pytest.approx(p)


def test_holm_by_hand() -> None:
    # Sorted: 0.01 × 4, 0.02 × 3, 0.03 × 2, 0.5 × 1, never falling.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_a_corrected_chance_is_never_smaller(values: list[float]) -> None:
    for before, after in zip(values, holm(values), strict=True):
        assert before <= after <= 1


def test_glass_delta_measures_in_the_controls_deviations() -> None:
    assert glass_delta([9, 11], [1, 2, 3]) == pytest.approx(8.0)
    assert glass_delta([9], [2, 2]) is None
    assert glass_delta([9], [2]) is None


def test_a_score_lies_between_its_anchors() -> None:
    assert anchored(30, 10, 50) == 0.5
    assert anchored(5, 10, 50) == pytest.approx(-0.125)
    assert anchored(30, 50, 10) is None
    assert anchored(30, 50, 50) is None


def test_intervals_of_means() -> None:
    assert mean_interval([5.0]) is None
    assert mean_interval([5.0, 5.0, 5.0]) == (5.0, 5.0)
    low, high = mean_interval(list(range(100))) or (0, 0)
    # The standard error of the mean is 2.9.
    assert low == pytest.approx(49.5 - 5.7, abs=0.6) and high == pytest.approx(49.5 + 5.7, abs=0.6)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=12), st.floats(-9, 9))
def test_an_interval_moves_with_its_values(values: list[float], shift: float) -> None:
    before = mean_interval(values)
    after = mean_interval([value + shift for value in values])
    assert before is not None and after is not None
    assert after == pytest.approx([bound + shift for bound in before], abs=1e-6)


def test_intervals_of_ratios() -> None:
    assert ratio_interval([5.0], [10.0]) is None
    assert ratio_interval([5.0, 5.0], [10.0, 0.0]) is None
    # Seed by seed one half was kept, however much the seeds differ.
    assert ratio_interval([1.0, 50.0, 7.0], [2.0, 100.0, 14.0]) == pytest.approx((0.5, 0.5))
    # Of two seeds either may be drawn twice.
    assert ratio_interval([1.0, 9.0], [10.0, 10.0]) == pytest.approx((0.1, 0.9))
