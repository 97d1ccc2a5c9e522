"""Rows and comparisons of hand-made contests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.arena.results.made import alone, episode

from goodput.arena.results.contests import by_seed, contest_of, contests, game_points
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
        episode(("b", "a"), (8.0, 8.0), seed=7, outcome=(0.5, 0.5)),
    ]
    ((_, players),) = contests(played).items()
    assert by_seed(players["a"]) == {7: 0.75} and by_seed(players["b"]) == {7: 0.25}
    assert game_points(players["a"]) == 6.0 and game_points(players["b"]) == 5.0


def test_who_forfeits_while_ahead_in_chips_has_lost() -> None:
    played = [
        episode(("rude", "fair"), (9.0, -9.0), seed=seed, outcome=(0, 1), forfeited_by=0)
        for seed in range(3)
    ]
    ((_, players),) = contests(played).items()
    fair, rude = rows_of(players)
    assert (fair.player, fair.score, fair.game_points) == ("fair", 1.0, -9.0)
    assert (rude.player, rude.score, rude.game_points) == ("rude", 0.0, 9.0)
    (only,) = comparisons_of(players)
    assert (only.first, only.second, only.difference) == ("fair", "rude", 1.0)


def test_anchors_are_those_of_the_players_own_seeds() -> None:
    """A run that was interrupted has played easy seeds only, or hard ones only."""
    played = [*alone("random", 0, 0, 50, 90), *alone("search", 10, 10, 100, 900)]
    ((_, players),) = contests([*played, *alone("m", 5, 5)]).items()
    places = {row.player: row.anchored for row in rows_of(players)}
    assert places == {"search": 1.0, "random": 0.0, "m": 0.5}


def test_no_anchor_without_a_seed_in_common() -> None:
    late = [episode(("m",), (5.0,), seed=9)]
    ((_, players),) = contests([*alone("random", 0), *alone("search", 10), *late]).items()
    assert {row.player: row.anchored for row in rows_of(players)}["m"] is None


def test_one_seed_has_no_spread_and_proves_nothing() -> None:
    ((_, players),) = contests([*alone("random", 1), *alone("m", 9)]).items()
    best, _ = rows_of(players)
    assert (best.interval, best.delta, best.anchored) == (None, None, None)
    (only,) = comparisons_of(players)
    assert (only.difference, only.interval, only.p) == (8.0, None, 1.0)


def test_equals_differ_by_nothing() -> None:
    ((_, players),) = contests([*alone("b", 4, 5), *alone("a", 4, 5)]).items()
    assert [row.player for row in rows_of(players)] == ["a", "b"]
    (only,) = comparisons_of(players)
    assert (only.difference, only.interval, only.p) == (0.0, (0.0, 0.0), 1.0)


@given(
    st.lists(st.tuples(*[st.integers(0, 99)] * 3), min_size=2, max_size=5),
    st.integers(-50, 50),
    st.sampled_from([0.5, 3, 8]),
)
def test_places_and_chances_know_no_unit(
    seeds: list[tuple[int, int, int]], shift: int, factor: float
) -> None:
    """The same games, counted in other points."""

    def board(scale: float, move: float) -> tuple[list[float | None], list[float]]:
        played = []
        for name, scores in zip(("random", "search", "m"), zip(*seeds, strict=True), strict=True):
            played += alone(name, *(scale * score + move for score in scores))
        ((_, players),) = contests(played).items()
        rows = sorted(rows_of(players), key=lambda row: row.player)
        figures = [figure for row in rows for figure in (row.anchored, row.delta)]
        return figures, [x.p for x in comparisons_of(players)]

    figures, chances = board(1.0, 0.0)
    others, again = board(factor, shift)
    assert again == pytest.approx(chances)
    for one, other in zip(figures, others, strict=True):
        assert (one is None) == (other is None)
        assert one is None or other == pytest.approx(one, abs=1e-6)


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
    assert slow.kept_interval == pytest.approx((0.15, 0.3))


def test_who_scored_nothing_while_the_game_waited_kept_no_share() -> None:
    played = [*alone("m", 0, 0), *alone("m", 5, 5, clock="virtual")]
    assert [row.kept for row in kept_scores(contests(played))] == [None, None]


def test_who_did_not_play_paused_kept_no_share() -> None:
    played = [*alone("a", 1, 2), *alone("m", 5, 5, clock="virtual")]
    assert [(row.player, row.kept) for row in kept_scores(contests(played))] == [
        ("a", 1.0),
        ("m", None),
    ]


def test_a_game_under_one_clock_has_nothing_to_keep() -> None:
    assert kept_scores(contests(PLAYED)) == []
