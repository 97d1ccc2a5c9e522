"""Levels from a seed, all of which can be passed: what is put in the way is within a jump's reach.

A tile is named by its column from the left and its row from the top. A level is a chain of pieces;
each begins and ends on ground, so they fit in any order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from goodput.arena.games.chance import branch
from goodput.arena.games.platformer.pieces import PIECES, Builder

ROWS: Final = 13
COLUMNS: Final = 180
FLAG: Final = COLUMNS - 8
"""The flag's column; reaching it ends the level."""
_RUNWAY: Final = 10
"""Columns of plain ground at the beginning."""

Tile = tuple[int, int]


class Patrol(msgspec.Struct, frozen=True):
    """An enemy's way: to and fro between two columns, with its feet on ``row``."""

    first: int
    last: int
    row: int


class Level(msgspec.Struct, frozen=True, dict=True):
    """``solid`` and ``coins`` are tiles. ``ground`` is the row of each column's ground, ROWS over a
    pit."""

    ground: tuple[int, ...]
    solid: frozenset[Tile]
    coins: frozenset[Tile]
    enemies: tuple[Patrol, ...]


@lru_cache(maxsize=256)
def level_of(seed: int) -> Level:
    """The level of a seed."""
    builder = Builder(branch(seed, 1), ROWS)
    builder.flat(_RUNWAY)
    while len(builder.ground) < FLAG - 12:
        PIECES[builder.draw(len(PIECES))](builder)
    builder.flat(COLUMNS - len(builder.ground))
    return Level(
        ground=tuple(builder.ground),
        solid=frozenset(builder.solid),
        coins=frozenset(builder.coins),
        enemies=tuple(Patrol(*way) for way in builder.patrols),
    )
