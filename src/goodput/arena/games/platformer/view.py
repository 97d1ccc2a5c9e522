"""A window of the level around the player, as characters and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from goodput.arena.games.drawing import Colour, canvas, rectangle, write
from goodput.arena.games.platformer.controls import ACTIONS
from goodput.arena.games.platformer.level import COLUMNS, FLAG, ROWS, Tile, level_of
from goodput.arena.games.platformer.physics import HEIGHT, PIXEL, TILE, WIDTH, enemy_at
from goodput.arena.games.rules import Picture

if TYPE_CHECKING:
    from goodput.arena.games.platformer.game import Run

SEEN: Final = 22
"""Columns of the window; the player stands in the seventh."""
_BEFORE: Final = 6
_HEAD: Final = 34
_SIDE: Final = 16
"""Pixels of a tile."""

_SKY: Final[Colour] = (126, 184, 236)
_NIGHT: Final[Colour] = (24, 30, 44)
_INK: Final[Colour] = (236, 240, 244)
_GROUND: Final[Colour] = (146, 96, 54)
_GRASS: Final[Colour] = (74, 158, 70)
_BLOCK: Final[Colour] = (188, 120, 60)
_EDGE: Final[Colour] = (110, 66, 34)
_COIN: Final[Colour] = (250, 208, 60)
_ENEMY: Final[Colour] = (150, 52, 120)
_PLAYER: Final[Colour] = (214, 48, 42)
_SKIN: Final[Colour] = (248, 206, 160)
_FLAG: Final[Colour] = (34, 140, 60)


class Scored(Protocol):
    """The rules, as far as the status needs them."""

    def score(self, state: Run) -> float: ...


def status_of(rules: Scored, state: Run) -> list[str]:
    """Three lines of figures; enemies by their left edge, those in the window only."""
    body = state.body
    left = window(state)
    near = [
        f"{enemy_at(patrol, state.frames) // PIXEL},{(patrol.row * TILE - HEIGHT) // PIXEL}"
        for number, patrol in enumerate(level_of(state.seed).enemies)
        if number not in state.stomped
        and left <= enemy_at(patrol, state.frames) // TILE < left + SEEN
    ]
    return [
        f"score {rules.score(state):.0f}  lives {state.lives}  coins {len(state.taken)}  "
        f"frame {state.frames}",
        f"you {body.x // PIXEL},{body.y // PIXEL} speed {body.vx},{body.vy} "
        f"{'ground' if body.grounded else 'air'}  E {' '.join(near) or 'none'}",
        f"columns {left} to {left + SEEN - 1} of {COLUMNS}, flag at {FLAG}; "
        f"holding {ACTIONS[state.held]}",
    ]


def window(state: Run) -> int:
    """The first column that is seen."""
    column = state.body.x // TILE - _BEFORE
    return min(max(0, column), COLUMNS - SEEN)


def rows_of(state: Run) -> list[str]:
    """The window, a character a tile, from the top."""
    level, left = level_of(state.seed), window(state)
    marks: dict[Tile, str] = {}
    for column in range(left, left + SEEN):
        for row in range(ROWS):
            if (column, row) in level.solid:
                marks[column, row] = "#"
            elif (column, row) in level.coins and (column, row) not in state.taken:
                marks[column, row] = "o"
    for row in range(level.ground[FLAG] - 5, level.ground[FLAG]):
        marks[FLAG, row] = "F"
    for number, patrol in enumerate(level.enemies):
        if number not in state.stomped:
            place = (enemy_at(patrol, state.frames) + WIDTH // 2) // TILE, patrol.row - 1
            marks[place] = "E"
    body = state.body
    marks[(body.x + WIDTH // 2) // TILE, (body.y + HEIGHT // 2) // TILE] = "M"
    return [
        "".join(marks.get((column, row), ".") for column in range(left, left + SEEN))
        for row in range(ROWS)
    ]


def draw_scene(state: Run, status: Sequence[str]) -> Picture:
    """The same window with everything at its exact place, and the status above it."""
    level, left = level_of(state.seed), window(state)
    picture = canvas(_HEAD + ROWS * _SIDE, SEEN * _SIDE, _SKY)
    rectangle(picture, 0, 0, _HEAD, SEEN * _SIDE, _NIGHT)
    for number, line in enumerate(status):
        write(picture, 3 + 10 * number, 4, line, _INK)
    for column in range(left, left + SEEN):
        x = (column - left) * _SIDE
        for row in range(ROWS):
            y = _HEAD + row * _SIDE
            if (column, row) in level.solid:
                _draw_solid(picture, y, x, row, level.ground[column])
            elif (column, row) in level.coins and (column, row) not in state.taken:
                rectangle(picture, y + 4, x + 5, 8, 6, _COIN)
        if column == FLAG:
            top = _HEAD + (level.ground[column] - 5) * _SIDE
            rectangle(picture, top, x + 7, 5 * _SIDE, 2, _INK)
            rectangle(picture, top, x + 9, 10, 14, _FLAG)
    for number, patrol in enumerate(level.enemies):
        if number not in state.stomped:
            x = enemy_at(patrol, state.frames) // PIXEL - left * _SIDE
            y = _HEAD + (patrol.row * TILE - HEIGHT) // PIXEL
            rectangle(picture, y + 2, x, 12, 12, _ENEMY)
            rectangle(picture, y + 5, x + 2, 3, 2, _INK)
            rectangle(picture, y + 5, x + 8, 3, 2, _INK)
    _draw_player(picture, state, left)
    return picture


def _draw_solid(picture: Picture, y: int, x: int, row: int, ground: int) -> None:
    if row >= ground:
        rectangle(picture, y, x, _SIDE, _SIDE, _GROUND)
        if row == ground:
            rectangle(picture, y, x, 4, _SIDE, _GRASS)
        return
    rectangle(picture, y, x, _SIDE, _SIDE, _EDGE)
    rectangle(picture, y + 1, x + 1, _SIDE - 2, _SIDE - 2, _BLOCK)


def _draw_player(picture: Picture, state: Run, left: int) -> None:
    x = state.body.x // PIXEL - left * _SIDE
    y = _HEAD + state.body.y // PIXEL
    if y < _HEAD:
        return  # Above the window: only the figures say where.
    rectangle(picture, y, x + 1, 4, 10, _PLAYER)
    rectangle(picture, y + 4, x + 2, 4, 8, _SKIN)
    rectangle(picture, y + 8, x, 6, 12, _PLAYER)
