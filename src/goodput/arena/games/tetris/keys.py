"""Steering by the keys of a game pad."""

from __future__ import annotations

from typing import Final

from goodput.arena.games.tetris.motion import (
    dropped,
    lowered,
    posed,
    shifted_place,
    turned_place,
)
from goodput.arena.games.tetris.pieces import TURNS
from goodput.arena.games.tetris.well import Well, swapped

LEFT, RIGHT, CLOCKWISE, COUNTER, SOFT, HARD, HOLD, NONE = range(8)

_SIDES: Final = {LEFT: -1, RIGHT: 1}
_DIRECTIONS: Final = {CLOCKWISE: 1, COUNTER: -1}


class Keys:
    """One key a decision."""

    words = (
        "left",
        "right",
        "rotate-cw",
        "rotate-ccw",
        "soft-drop",
        "hard-drop",
        "hold",
        "none",
    )
    idle = NONE
    manual = (
        "left and right move the falling piece by a column, rotate-cw and rotate-ccw turn it, "
        "soft-drop moves it down a row (1 point), hard-drop down to where it lands and locks it "
        "there (2 points a row), hold swaps it once for the piece held, none waits."
    )

    def legal(self, well: Well) -> list[int]:
        able = [key for key, side in _SIDES.items() if shifted_place(well, side) is not None]
        able += [key for key, way in _DIRECTIONS.items() if _turn(well, way) is not None]
        if not well.grounded:
            able.append(SOFT)
        able.append(HARD)
        if well.may_hold:
            able.append(HOLD)
        able.append(NONE)
        return able

    def act(self, well: Well, action: int) -> Well | None:
        if action == HARD:
            return dropped(well, well.turn, well.at)
        if action in _SIDES:
            at = shifted_place(well, _SIDES[action])
            return None if at is None else posed(well, well.turn, at)
        if action in _DIRECTIONS:
            at = _turn(well, _DIRECTIONS[action])
            turn = (well.turn + _DIRECTIONS[action]) % TURNS
            return None if at is None else posed(well, turn, at)
        if action == SOFT:
            return None if well.grounded else lowered(well)
        if action == HOLD:
            return swapped(well) if well.may_hold else None
        return well


def _turn(well: Well, direction: int) -> int | None:
    return turned_place(well.cells, well.kind, well.turn, well.at, direction)
