"""Strengths and ratings of hand-made matches."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.arena.results.made import match

from goodput.arena.results.matches import Result, results_of
from goodput.arena.results.versus import elo, fitted, strengths_of


def test_two_players_differ_by_the_log_of_their_odds() -> None:
    # 300 wins, 100 losses and no draw: odds of 3, which the weak prior hardly moves.
    games = [Result("a", "b", 1.0, seed) for seed in range(300)]
    games += [Result("a", "b", 0.0, seed) for seed in range(100)]
    first, second = fitted(games, ["a", "b"])
    assert first - second == pytest.approx(math.log(3), rel=0.01)


def test_draws_pull_together() -> None:
    won = [Result("a", "b", 1.0, seed) for seed in range(20)]
    lost = [Result("a", "b", 0.0, seed) for seed in range(10)]
    drawn = [Result("a", "b", 0.5, seed) for seed in range(30)]
    first, second = fitted([*won, *lost], ["a", "b"])
    near, far = fitted([*won, *lost, *drawn], ["a", "b"])
    assert 0 < near - far < first - second
    assert fitted(drawn, ["a", "b"]) == pytest.approx([0, 0], abs=1e-9)


def test_whoever_won_everything_stays_finite() -> None:
    first, second = fitted([Result("a", "b", 1.0, seed) for seed in range(50)], ["a", "b"])
    assert 2 < first - second < 12


def test_strengths_go_through_common_opponents() -> None:
    games = [match("a", "b", 1.0, seed) for seed in range(4)]
    games += [match("b", "c", 1.0, seed) for seed in range(4)]
    rows = strengths_of(results_of(games))
    assert [row.player for row in rows] == ["a", "b", "c"]
    assert sum(row.strength for row in rows) == pytest.approx(0, abs=1e-6)
    assert [(row.games, row.points) for row in rows] == [(4, 4.0), (8, 4.0), (4, 0.0)]


def test_a_forfeit_is_a_lost_game_and_counted() -> None:
    forfeited = [match("a", "b", 1.0, forfeited_by=1)]
    rows = {x.player: x for x in strengths_of(results_of(forfeited))}
    assert (rows["b"].forfeits, rows["a"].forfeits) == (1, 0)
    assert rows["b"].strength < rows["a"].strength
    assert rows["a"].interval is None  # One seed has no spread.


def test_intervals_resample_seeds_with_both_of_their_games() -> None:
    # On each seed each won once, from the first seat: no doubt that they are equal.
    games = [match(*pair, 1.0, seed) for seed in range(10) for pair in (("a", "b"), ("b", "a"))]
    first, second = strengths_of(results_of(games))
    for row in (first, second):
        assert row.interval == pytest.approx((0.0, 0.0), abs=1e-6)


def test_a_clean_sweep_is_no_certainty() -> None:
    few = strengths_of([Result("a", "b", 1.0, seed) for seed in range(5)])[0].interval
    many = strengths_of([Result("a", "b", 1.0, seed) for seed in range(50)])[0].interval
    assert few is not None and many is not None
    assert few[1] - few[0] > 50
    assert 0 < few[0] < many[0]


def test_who_never_played_another_has_no_strength() -> None:
    assert strengths_of([]) == []


def test_elo_by_hand() -> None:
    # Equals: half a point is expected of each; the winner takes half of 16.
    assert elo([Result("a", "b", 1.0, 0)]) == {"a": 1008.0, "b": 992.0}
    # Then 16 apart, the first one is expected to get 0.523.
    again = elo([Result("a", "b", 1.0, 0), Result("a", "b", 0.5, 1)])
    assert again["a"] == pytest.approx(1008 + 16 * (0.5 - 1 / (1 + 10 ** (-16 / 400))))
    assert sum(again.values()) == pytest.approx(2000)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ab", "bc", "ca", "ba"]), st.sampled_from([0.0, 0.5, 1.0])),
        min_size=1,
        max_size=20,
    )
)
def test_seats_and_order_do_not_matter(games: list[tuple[str, float]]) -> None:
    results = [Result(pair[0], pair[1], points, 0) for pair, points in games]
    turned = [Result(x.second, x.first, 1 - x.points, 0) for x in reversed(results)]
    names = ["a", "b", "c"]
    assert fitted(results, names) == pytest.approx(fitted(turned, names), abs=1e-6)
