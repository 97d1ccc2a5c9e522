"""A level as rows of marks, and as a picture of the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.arena.games.drawing import Colour, canvas, rectangle, write
from goodput.arena.games.rules import Picture
from goodput.arena.games.sokoban.generator import SIDE
from goodput.arena.games.sokoban.level import (
    BOX,
    FLOOR,
    PLACED,
    PLAYER,
    PLAYER_ON_TARGET,
    TARGET,
    WALL,
    Level,
    Position,
)

LEGEND: Final = (
    f"Marks: {WALL} wall, {FLOOR} floor, {TARGET} target, {BOX} box, {PLACED} box on a target, "
    f"{PLAYER} you, {PLAYER_ON_TARGET} you on a target."
)

_CELL: Final = 44
_HEAD: Final = 34
_BACKGROUND: Final[Colour] = (22, 24, 30)
_INK: Final[Colour] = (220, 222, 228)
_WALL: Final[Colour] = (92, 98, 114)
_FLOOR: Final[Colour] = (44, 47, 56)
_TARGET: Final[Colour] = (226, 92, 92)
_BOX: Final[Colour] = (186, 132, 72)
_PLACED: Final[Colour] = (98, 184, 100)
_PLAYER: Final[Colour] = (92, 156, 236)


def rows_of(level: Level, position: Position) -> list[str]:
    """A mark a cell, a string a row."""
    marks = [_mark(level, position, cell) for cell in range(SIDE * SIDE)]
    return ["".join(marks[first : first + SIDE]) for first in range(0, len(marks), SIDE)]


def draw_level(rows: Sequence[str], status: Sequence[str]) -> Picture:
    """The rows as tiles under lines of text."""
    side = SIDE * _CELL
    picture = canvas(side + _HEAD, side, _BACKGROUND)
    for number, line in enumerate(status):
        write(picture, 6 + 13 * number, 6, line, _INK)
    for row, marks in enumerate(rows):
        for column, mark in enumerate(marks):
            _draw_tile(picture, _HEAD + row * _CELL, column * _CELL, mark)
    return picture


def _mark(level: Level, position: Position, cell: int) -> str:
    if cell not in level.floor:
        return WALL
    target = cell in level.targets
    if cell == position.player:
        return PLAYER_ON_TARGET if target else PLAYER
    if cell in position.boxes:
        return PLACED if target else BOX
    return TARGET if target else FLOOR


def _draw_tile(picture: Picture, y: int, x: int, mark: str) -> None:
    """A target is a red square whose rim stays visible under what stands on it."""
    rectangle(picture, y, x, _CELL - 1, _CELL - 1, _WALL if mark == WALL else _FLOOR)
    if mark in (TARGET, PLACED, PLAYER_ON_TARGET):
        rectangle(picture, y + 4, x + 4, _CELL - 9, _CELL - 9, _TARGET)
        rectangle(picture, y + 7, x + 7, _CELL - 15, _CELL - 15, _FLOOR)
    if mark in (BOX, PLACED):
        colour = _BOX if mark == BOX else _PLACED
        rectangle(picture, y + 9, x + 9, _CELL - 19, _CELL - 19, colour)
        rectangle(picture, y + 13, x + 13, 3, _CELL - 27, _FLOOR)
        rectangle(picture, y + _CELL - 17, x + 13, 3, _CELL - 27, _FLOOR)
    if mark in (PLAYER, PLAYER_ON_TARGET):
        rectangle(picture, y + 10, x + 16, 9, _CELL - 33, _PLAYER)
        rectangle(picture, y + 20, x + 11, _CELL - 31, _CELL - 23, _PLAYER)
