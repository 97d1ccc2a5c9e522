"""What can happen to a falling piece: moves, turns, drops, and gravity frame by frame."""

from __future__ import annotations

from math import ceil
from typing import Final

from msgspec.structs import replace

from goodput.arena.games.rules import FRAMES_PER_SECOND
from goodput.arena.games.tetris.board import UP, WALLS, landing, row_of
from goodput.arena.games.tetris.pieces import BOTTOM, KICKS, SHAPES, TURNS
from goodput.arena.games.tetris.well import Well, locked

LOCK_FRAMES: Final = 30
"""Half a second on the ground locks a piece."""
LOCK_RESETS: Final = 15
"""So many moves start that half second again, until the piece gets to a lower row."""
TOP_LEVEL: Final = 20
ROW: Final = 1 << 16
"""One row in the units of gravity."""


def _rows_per_frame(level: int) -> int:
    """Of a level, in 1/65536 rows: a row takes (0.8 − 0.007 (level − 1)) ** (level − 1) seconds,
    by the guideline."""
    seconds = (0.8 - 0.007 * (level - 1)) ** (level - 1)
    return ceil(ROW / (seconds * FRAMES_PER_SECOND))


GRAVITY: Final = (0, *(_rows_per_frame(level) for level in range(1, TOP_LEVEL + 1)))
"""By level, from 1 on: 60 frames a row at level 1, 21 at level 5, 3.7 at level 10."""


def shifted_place(well: Well, columns: int) -> int | None:
    """Where the piece is after one step to a side (1 is right), or None if it cannot go there."""
    at = well.at + columns
    return None if (well.cells | WALLS) & well.shape << at else at


def turned_place(cells: int, kind: int, turn: int, at: int, direction: int) -> int | None:
    """Where a piece is after a turn from ``turn`` (1 is clockwise), by the first kick that fits, or
    None where none does."""
    shape, solid = SHAPES[kind][(turn + direction) % TURNS], cells | WALLS
    for kick in KICKS[kind][turn][direction]:
        if not solid & shape << (at + kick):
            return at + kick
    return None


def posed(well: Well, turn: int, at: int) -> Well:
    """The piece has moved by the player's doing: the lock delay starts again, as long as it may."""
    lowest = row_of(at) + BOTTOM[well.kind][turn]
    if lowest < well.lowest:
        return replace(well, turn=turn, at=at, lowest=lowest, rested=0, resets=0)
    if well.rested and well.resets < LOCK_RESETS:
        return replace(well, turn=turn, at=at, rested=0, resets=well.resets + 1)
    return replace(well, turn=turn, at=at)


def lowered(well: Well) -> Well:
    """One row down by the player's doing, for a point. Only where the piece is not grounded."""
    return replace(posed(well, well.turn, well.at - UP), score=well.score + 1, fall=0)


def dropped(well: Well, turn: int, at: int) -> Well:
    """Straight down from ``at`` and locked, for two points a row."""
    end = landing(well.cells, SHAPES[well.kind][turn], at)
    return locked(well, turn, end, points=2 * ((at - end) // UP))


def fallen(well: Well) -> Well:
    """One frame later: gravity pulls, and a piece that has rested long enough locks."""
    if well.out:
        return well
    if well.grounded:
        if well.rested + 1 >= LOCK_FRAMES:
            return locked(well, well.turn, well.at)
        return replace(well, rested=well.rested + 1, fall=0)
    fall = well.fall + GRAVITY[well.level]
    rows, fall = divmod(fall, ROW)
    if not rows:
        return replace(well, fall=fall)
    end = max(landing(well.cells, well.shape, well.at), well.at - rows * UP)
    lowest = row_of(end) + BOTTOM[well.kind][well.turn]
    if lowest < well.lowest:
        return replace(well, at=end, fall=fall, lowest=lowest, rested=0, resets=0)
    return replace(well, at=end, fall=fall)
