"""Which episodes a tournament is made of."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from goodput.arena.games.registry import make_game
from goodput.arena.tournament.config import Config, Timing


class Fixture(NamedTuple):
    """One episode to play: ``seats`` are indices into the tournament's players, by seat."""

    game: str
    seed: int
    timing: Timing
    seats: tuple[int, ...]


def fixtures(config: Config) -> list[Fixture]:
    """All episodes in the order in which they begin.

    A game of one seat is played by everybody alone, one of two by all pairs, both ways round. All
    on the same seeds, and what is to be compared in a row, so that a drift of the machine or the
    network hits all alike.
    """
    players = len(config.players)
    line_ups = {game: _line_ups(players, make_game(game).spec.seats) for game in config.games}
    return [
        Fixture(game, seed, timing, seats)
        for game in config.games
        for seed in config.seeds
        for timing in config.timings
        for seats in line_ups[game]
    ]


def _line_ups(players: int, seats: int) -> list[tuple[int, ...]]:
    """Who sits where; the two ways to seat a pair follow each other."""
    if seats == 1:
        return [(player,) for player in range(players)]
    return [way for pair in combinations(range(players), 2) for way in (pair, pair[::-1])]
