"""How the player moves, in whole numbers of a sixteenth of a pixel, so that all machines agree.

A tile is 16 pixels, 256 units, a side. In each frame the speed changes, then the player moves
sideways, then up or down, and stops at what is solid.
"""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.games.platformer.level import COLUMNS, ROWS, Level, Patrol

TILE: Final = 256
PIXEL: Final = 16
WIDTH: Final = 12 * PIXEL
HEIGHT: Final = 14 * PIXEL

WALK: Final = 20
RUN: Final = 36
_FASTER: Final = 2
_SLOWER: Final = 3
_JUMP: Final = -80
_PULL: Final = 6
_PULL_HELD: Final = 3
"""While a jump is held and rises."""
_FASTEST_FALL: Final = 96
BOUNCE: Final = -56
"""Off an enemy's head."""
ENEMY_SPEED: Final = 10
BUFFER: Final = 8
"""For so many frames a jump that was chosen waits for the ground."""


class Buttons(msgspec.Struct, frozen=True):
    """What is held: a direction (-1, 0, 1), run, jump."""

    direction: int = 0
    run: bool = False
    jump: bool = False


class Body(msgspec.Struct, frozen=True):
    """The player: its upper left corner and its speed, in units and units a frame. ``wish``: frames
    for which a jump that was chosen still waits for ground."""

    x: int
    y: int
    vx: int = 0
    vy: int = 0
    grounded: bool = True
    wish: int = 0


def moved(level: Level, body: Body, held: Buttons) -> Body:
    """The body one frame later."""
    vx = _sideways(body.vx, held)
    vy, wish = body.vy, max(0, body.wish - 1)
    if body.grounded and body.wish:
        vy, wish = _JUMP, 0
    else:
        pull = _PULL_HELD if held.jump and vy < 0 else _PULL
        vy = min(_FASTEST_FALL, vy + pull)
    x, vx = _moved_sideways(level, body.x, body.y, vx)
    y, vy, grounded = _moved_down(level, x, body.y, vy)
    return Body(x, y, vx, vy, grounded, wish)


def enemy_at(patrol: Patrol, frames: int) -> int:
    """The left edge of an enemy: it walks to and fro at one speed, whatever else happens."""
    length = (patrol.last - patrol.first) * TILE
    way = ENEMY_SPEED * frames % (2 * length)
    return patrol.first * TILE + (way if way <= length else 2 * length - way)


def standing(level: Level, column: int) -> Body:
    """A body at rest on the ground of a column."""
    return Body(column * TILE + (TILE - WIDTH) // 2, level.ground[column] * TILE - HEIGHT)


def _sideways(vx: int, held: Buttons) -> int:
    goal = held.direction * (RUN if held.run else WALK)
    change = _FASTER if abs(goal) > abs(vx) and goal * vx >= 0 else _SLOWER
    return min(goal, vx + change) if vx < goal else max(goal, vx - change)


def _moved_sideways(level: Level, x: int, y: int, vx: int) -> tuple[int, int]:
    x = max(0, min(x + vx, COLUMNS * TILE - WIDTH))
    rows = range(y // TILE, (y + HEIGHT - 1) // TILE + 1)
    if vx > 0:
        column = (x + WIDTH - 1) // TILE
        if any((column, row) in level.solid for row in rows):
            return column * TILE - WIDTH, 0
    elif vx < 0:
        column = x // TILE
        if any((column, row) in level.solid for row in rows):
            return (column + 1) * TILE, 0
    return x, vx


def _moved_down(level: Level, x: int, y: int, vy: int) -> tuple[int, int, bool]:
    y += vy
    columns = range(x // TILE, (x + WIDTH - 1) // TILE + 1)
    if vy >= 0:
        row = (y + HEIGHT - 1) // TILE
        # What is below the feet counts too: a body at rest stays on the ground.
        if row < ROWS and any((column, row) in level.solid for column in columns):
            return row * TILE - HEIGHT, 0, True
        return y, vy, False
    row = y // TILE
    if any((column, row) in level.solid for column in columns):
        return (row + 1) * TILE, 0, False
    return y, vy, False
