"""Who met whom, of hand-made matches."""

from __future__ import annotations

import pytest
from tests.arena.results.made import match

from goodput.arena.results.matches import meetings_of, results_of


def test_games_against_oneself_are_no_matches() -> None:
    assert results_of([match("a", "a", 1.0)]) == []


def test_a_meeting_counts_every_game_as_the_better_one_saw_it() -> None:
    games = [
        match("a", "b", 1.0, seed=0),
        match("b", "a", 0.0, seed=0, forfeited_by=0),
        match("a", "b", 0.5, seed=1),
        match("b", "a", 1.0, seed=1),
    ]
    (only,) = meetings_of(results_of(games), ["a", "b"])
    assert (only.first, only.second, only.seeds) == ("a", "b", 2)
    assert (only.wins, only.draws, only.losses) == (2, 1, 1)
    assert (only.forfeits, only.forfeits_won) == (0, 1)
    # Seed 0 gave half a point a game more than equals get, seed 1 a quarter less: of the four ways
    # to turn them, all are as far out.
    assert only.p == 1.0
    (turned,) = meetings_of(results_of(games), ["b", "a"])
    assert (turned.first, turned.wins, turned.losses) == ("b", 1, 2)
    assert (turned.forfeits, turned.forfeits_won) == (1, 0)


def test_the_two_games_of_a_seed_are_one_sample() -> None:
    both = [match(*pair, points, seed) for seed in range(5) for pair, points in AHEAD]
    (only,) = meetings_of(results_of(both), ["a", "b"])
    assert only.p == pytest.approx(2 / 2**5)  # not 2 / 2**10


def test_chances_are_corrected_for_all_meetings() -> None:
    games = [match(*pair, 1.0, seed) for pair in PAIRS for seed in range(5)]
    meetings = meetings_of(results_of(games), ["a", "b", "c"])
    assert [(x.first, x.second) for x in meetings] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [x.p for x in meetings] == pytest.approx([3 * 2 / 32] * 3)


PAIRS = (("a", "b"), ("a", "c"), ("b", "c"))
AHEAD = ((("a", "b"), 1.0), (("b", "a"), 0.0))
"""Both games of a seed, won by a."""
