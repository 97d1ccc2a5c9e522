"""Tetris: the best resting place of the piece, or of the one that holding would bring.

A place is judged by Dellacherie's six features of the stack with the weights that Islam El-Ashi
published (https://imake.ninja/el-tetris-an-improvement-on-pierre-dellacheries-algorithm/), all
counted on the whole board at once. Only pieces that a player sees are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from goodput.arena.games.rules import Rules
from goodput.arena.games.tetris import keys
from goodput.arena.games.tetris.board import (
    HEIGHT,
    INSIDE,
    UP,
    WALLS,
    landing,
    place,
    row_of,
    without_full_rows,
)
from goodput.arena.games.tetris.pieces import BOTTOM, CELLS, SHAPES
from goodput.arena.games.tetris.placements import reaches, ways
from goodput.arena.games.tetris.well import Well, swapped
from goodput.arena.players.search import Draw

_LANDING_HEIGHT: Final = -4.500158825082766
_ROWS_CLEARED: Final = 3.4181268101392694
_ROW_CHANGES: Final = -3.2178882868487753
_COLUMN_CHANGES: Final = -9.348695305445199
_HOLES: Final = -7.899265427351652
_WELLS: Final = -3.3855972247263626
_ABOVE_TOP: Final = -1000.0

_ABOVE: Final = INSIDE & -(1 << place(HEIGHT, 0))
_TALL: Final = tuple(
    tuple(max(row for _, row in cells) - min(row for _, row in cells) for cells in turns)
    for turns in CELLS
)
"""By kind and turn: rows from the lowest cell to the highest."""


class Plan(NamedTuple):
    """A way to lay the falling piece: turned so, with its box at ``at`` before it drops. Plans are
    ordered by what they are worth, then by where the piece comes to rest."""

    worth: float
    rest: int
    turn: int
    at: int


def choose(rules: Rules[Well], state: Well, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The next key towards the best place."""
    return next_key(state)


def next_key(well: Well) -> int:
    """Hold if the other piece has the better place; else turn, then move, then drop."""
    plan = best_plan(well)
    if plan is None:
        return keys.HOLD if well.may_hold else keys.HARD
    turns = ways(well.turn, plan.turn)
    if turns:
        return keys.CLOCKWISE if turns[0] == 1 else keys.COUNTER
    if plan.at != well.at:
        return keys.LEFT if plan.at < well.at else keys.RIGHT
    return keys.HARD


def best_plan(well: Well) -> Plan | None:
    """The best place for the falling piece, or None where holding promises a better one."""
    own = max(_plans(well), default=None)
    if not well.may_hold:
        return own
    other = max(_plans(swapped(well)), default=None)
    if own is None or (other is not None and other.worth > own.worth):
        return None
    return own


def _plans(well: Well) -> list[Plan]:
    plans = []
    for turn, first, last in reaches(well):
        shape = SHAPES[well.kind][turn]
        for at in range(first, last + 1):
            end = landing(well.cells, shape, at)
            plans.append(Plan(_worth(well, turn, end), shape << end, turn, at))
    return plans


def _worth(well: Well, turn: int, at: int) -> float:
    """How good the stack is once the piece lies at ``at``."""
    cells, cleared = without_full_rows(well.cells | SHAPES[well.kind][turn] << at, at)
    middle = row_of(at) + BOTTOM[well.kind][turn] + _TALL[well.kind][turn] / 2
    return (
        _LANDING_HEIGHT * middle
        + _ROWS_CLEARED * cleared
        + _ROW_CHANGES * row_changes(cells)
        + _COLUMN_CHANGES * column_changes(cells)
        + _HOLES * holes(cells)
        + _WELLS * wells(cells)
        + (_ABOVE_TOP if cells & _ABOVE else 0.0)
    )


def row_changes(cells: int) -> int:
    """Neighbours across of which one is empty; walls are not. An empty row has two."""
    solid = cells | WALLS
    return ((solid ^ solid >> 1) & (INSIDE | INSIDE >> 1)).bit_count()


def column_changes(cells: int) -> int:
    """Neighbours one above the other of which one is empty; the floor is not."""
    solid = cells | WALLS
    return ((solid ^ solid >> UP) & (INSIDE | INSIDE >> UP)).bit_count()


def holes(cells: int) -> int:
    """Empty cells with something above them."""
    covered, reach = cells, UP
    while reach < INSIDE.bit_length():
        covered |= covered >> reach
        reach *= 2
    return (covered & ~cells & INSIDE).bit_count()


def wells(cells: int) -> int:
    """Empty cells between two that are not, each counted once for itself and once for every such
    cell right below it in one stretch."""
    solid = cells | WALLS
    between = solid << 1 & solid >> 1 & ~cells & INSIDE
    total = 0
    while between:
        total += between.bit_count()
        between &= between << UP
    return total
