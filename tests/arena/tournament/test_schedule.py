"""Which episodes a config means."""

from __future__ import annotations

from collections import Counter

from goodput.arena.tournament.config import Config, resolve
from goodput.arena.tournament.schedule import fixtures
from goodput.arena.tournament.wishes import Wishes


def config(**wishes: object) -> Config:
    return resolve(Wishes(**wishes), Wishes(), name="x")  # type: ignore[arg-type]


def test_a_game_of_one_seat_is_played_by_everybody_alone_on_the_same_seeds() -> None:
    found = fixtures(config(games=("2048",), players=("random", "greedy"), seeds=(7, 3)))
    assert [(one.seed, one.seats) for one in found] == [(7, (0,)), (7, (1,)), (3, (0,)), (3, (1,))]


def test_all_pairs_play_both_ways_round_on_the_same_seed() -> None:
    players = ("random", "greedy", "search")
    found = fixtures(config(games=("tictactoe",), players=players, seeds=(7,)))
    assert [one.seats for one in found] == [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]
    assert {one.seed for one in found} == {7}


def test_a_race_is_a_game_of_pairs() -> None:
    found = fixtures(config(games=("2048",), players=("random", "greedy"), seeds=(7,), races=True))
    assert [(one.game, one.seats) for one in found] == [
        ("race-2048-v1", (0, 1)),
        ("race-2048-v1", (1, 0)),
    ]


def test_every_game_meets_every_timing_and_seed_once() -> None:
    found = fixtures(
        config(
            games=("2048", "tictactoe"),
            players=("random", "greedy"),
            episodes=3,
            clocks=("paused", "virtual"),
            slow_downs=(1.0, 4.0),
        )
    )
    assert len(set(found)) == len(found)
    assert Counter((one.game, str(one.timing)) for one in found) == {
        (game, timing): 6
        for game in ("2048-v1", "tictactoe-v1")
        for timing in ("paused", "virtual", "virtual × 4")
    }
