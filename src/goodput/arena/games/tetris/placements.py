"""Steering by whole placements: turn, move and drop in one action, for players that think slowly.

An action names where the piece points (up is how it enters) and the column of its leftmost cell.
The piece gets there as keys would bring it: turned where it is, then moved sideways at that height,
so one that has fallen between walls of the stack can no longer reach the columns beyond them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from goodput.arena.games.tetris.board import WALLS, WIDTH, column_of
from goodput.arena.games.tetris.motion import dropped, turned_place
from goodput.arena.games.tetris.pieces import CELLS, DISTINCT_TURNS, LEFT, SHAPES, TURNS
from goodput.arena.games.tetris.well import Well, swapped

_POINTING: Final = ("up", "right", "down", "left")
_WAYS: Final = ((), (1,), (1, 1), (-1,))
"""By how far the wanted turn is clockwise: the turns to make."""


class Reach(NamedTuple):
    """The places of a piece's box, leftmost to rightmost, that it can be moved to in one turn."""

    turn: int
    first: int
    last: int


def reaches(well: Well) -> list[Reach]:
    """Where the falling piece can be brought, turn by turn, before it is dropped."""
    found = (_reach(well, turn) for turn in DISTINCT_TURNS[well.kind])
    return [reach for reach in found if reach is not None]


def ways(turn: int, wanted: int) -> tuple[int, ...]:
    """The turns that lead from one turn to another; 1 is clockwise."""
    return _WAYS[(wanted - turn) % TURNS]


def _reach(well: Well, turn: int) -> Reach | None:
    at = _turned(well, turn)
    if at is None:
        return None
    shape, solid = SHAPES[well.kind][turn], well.cells | WALLS
    first = last = at
    while not solid & shape << (first - 1):
        first -= 1
    while not solid & shape << (last + 1):
        last += 1
    return Reach(turn, first, last)


def _turned(well: Well, wanted: int) -> int | None:
    turn, at = well.turn, well.at
    for direction in ways(turn, wanted):
        kicked = turned_place(well.cells, well.kind, turn, at, direction)
        if kicked is None:
            return None
        turn, at = (turn + direction) % TURNS, kicked
    return at


def _columns(turn: int) -> int:
    """How many leftmost columns some piece can have in a turn."""
    narrowest = min(
        len({column for column, _ in CELLS[kind][turn]})
        for kind, turns in enumerate(DISTINCT_TURNS)
        if turn in turns
    )
    return WIDTH - narrowest + 1


_TARGETS: Final = tuple((turn, column) for turn in range(TURNS) for column in range(_columns(turn)))
_FIRST: Final = tuple(_TARGETS.index((turn, 0)) for turn in range(TURNS))
HOLD: Final = len(_TARGETS)


class Placements:
    """One piece a decision."""

    words = (*(f"{_POINTING[turn]}-{column + 1}" for turn, column in _TARGETS), "hold")
    idle = None
    manual = (
        "An action drops the falling piece: where it points (up as it enters, right turned "
        "clockwise, down upside down, left turned counterclockwise) and the column of its leftmost "
        "cell, as in right-4. It locks where it lands (2 points a row). "
        "hold swaps it once for the piece held."
    )

    def legal(self, well: Well) -> list[int]:
        able = [
            action
            for reach in reaches(well)
            for action in range(
                self.action(well, reach.turn, reach.first),
                self.action(well, reach.turn, reach.last) + 1,
            )
        ]
        if well.may_hold:
            able.append(HOLD)
        return able

    def act(self, well: Well, action: int) -> Well | None:
        if action == HOLD:
            return swapped(well) if well.may_hold else None
        turn, column = _TARGETS[action]
        reach = _reach(well, turn) if turn in DISTINCT_TURNS[well.kind] else None
        if reach is None:
            return None
        at = reach.first + column - _leftmost(well, turn, reach.first)
        return dropped(well, turn, at) if reach.first <= at <= reach.last else None

    @staticmethod
    def action(well: Well, turn: int, at: int) -> int:
        """The action that drops the falling piece, so turned, with its box at ``at``."""
        return _FIRST[turn] + _leftmost(well, turn, at)


def _leftmost(well: Well, turn: int, at: int) -> int:
    return column_of(at) + LEFT[well.kind][turn]
