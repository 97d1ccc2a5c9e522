"""Sokoban: the shortest solution, move by move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from goodput.arena.games.rules import Rules
from goodput.arena.games.sokoban.game import RESTART, Warehouse, level_of
from goodput.arena.games.sokoban.level import Level, Position, moved
from goodput.arena.games.sokoban.solver import solve
from goodput.arena.players.search import Draw


def choose(
    rules: Rules[Warehouse], state: Warehouse, seat: int, legal: Sequence[int], draw: Draw
) -> int:
    """The next move of a shortest solution; a new start where there is none in the moves left."""
    level, position = level_of(state), state.position
    known = _way(level).get(position)
    if known is not None:
        return known
    way = solve(level, position, state.moves_left)
    if way:
        return way[0]
    return RESTART if RESTART in legal else legal[0]


@lru_cache(maxsize=64)
def _way(level: Level) -> Mapping[Position, int]:
    """The moves of a level's shortest solution, by the position in which they are made."""
    position = Position(level.player, level.boxes)
    way: dict[Position, int] = {}
    for direction in solve(level, position) or ():
        way[position] = direction
        after = moved(level, position, direction)
        assert after is not None
        position = after
    return way
