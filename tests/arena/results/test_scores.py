"""Rows and comparisons of hand-made contests."""

from __future__ import annotations

import pytest
from tests.arena.results.made import alone, episode

from goodput.arena.results.contests import by_seed, contest_of, contests
from goodput.arena.results.scores import comparisons_of, rows_of
from goodput.arena.results.slowdown import kept_scores

PLAYED = [*alone("random", 10, 20, 30), *alone("search", 100, 120, 140), *alone("m", 65, 65, 80)]


def test_rows_are_ordered_by_score_and_anchored() -> None:
    ((_, players),) = contests(PLAYED).items()
    best, middle, last = rows_of(players)
    assert [row.player for row in (best, middle, last)] == ["search", "m", "random"]
    assert (best.score, middle.score, last.score) == (120, 70, 20)
    assert (best.anchored, middle.anchored, last.anchored) == (1.0, 0.5, 0.0)
    assert middle.delta == pytest.approx(5.0) and last.delta is None
    assert middle.seeds == 3 and middle.interval is not None


def test_without_anchors_nothing_is_anchored() -> None:
    ((_, players),) = contests(alone("m", 1, 2)).items()
    (row,) = rows_of(players)
    assert (row.anchored, row.delta) == (None, None)


def test_players_are_compared_on_the_seeds_that_they_share() -> None:
    ((_, players),) = contests([*alone("a", 5, 6, 7), *alone("b", 1, 2)]).items()
    (only,) = comparisons_of(players)
    assert (only.first, only.second, only.seeds, only.difference) == ("a", "b", 2, 4.0)
    assert only.p == pytest.approx(0.5)


def test_chances_are_corrected_for_all_pairs() -> None:
    ((_, players),) = contests(PLAYED).items()
    # Three pairs of 2/8 each.
    assert [x.p for x in comparisons_of(players)] == pytest.approx([0.75] * 3)


def test_both_seats_of_a_seed_are_one_sample() -> None:
    played = [
        episode(("a", "b"), (4.0, 2.0), seed=7, outcome=(1, 0)),
        episode(("b", "a"), (6.0, 8.0), seed=7, outcome=(0, 1)),
    ]
    ((_, players),) = contests(played).items()
    assert by_seed(players["a"]) == {7: 6.0} and by_seed(players["b"]) == {7: 4.0}


def test_clocks_make_contests_of_their_own() -> None:
    virtual = alone("m", 5, clock="virtual", slow_down=2.0)
    tokens = alone("m", 5, clock="tokens", token_ttft_s=0.2, token_rate=50.0)
    assert [contest_of(x).timing for x in (*virtual, *tokens)] == [
        "virtual × 2",
        "tokens 200 ms + 50 tokens/s",
    ]
    assert len(contests([*virtual, *tokens, *alone("m", 5)])) == 3


def test_the_score_kept_is_on_the_same_seeds() -> None:
    played = [
        *alone("m", 100, 200),
        *alone("m", 50, 40, 999, clock="virtual"),
        *alone("m", 30, 30, clock="virtual", slow_down=4.0),
    ]
    paused, virtual, slow = kept_scores(contests(played))
    assert (paused.kept, slow.kept) == (1.0, 0.2)
    assert virtual.kept == pytest.approx(0.3)
    assert virtual.score == pytest.approx(363)


def test_a_game_under_one_clock_has_nothing_to_keep() -> None:
    assert kept_scores(contests(PLAYED)) == []
