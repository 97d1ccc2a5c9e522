"""A room with its boxes and targets, and the moves in it.

A cell is a number, ``row * width + column``. The room's edge is all wall, so stepping by
``level.steps`` never wraps around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

UP, DOWN, LEFT, RIGHT = range(4)

WALL, FLOOR, TARGET, BOX, PLACED, PLAYER, PLAYER_ON_TARGET = "#-.$*@+"

Boxes = frozenset[int]


class Level(msgspec.Struct, frozen=True, dict=True):
    """How a level begins. There are as many targets as boxes."""

    width: int
    floor: frozenset[int]
    targets: frozenset[int]
    boxes: Boxes
    player: int

    @cached_property
    def steps(self) -> tuple[int, int, int, int]:
        """What up, down, left and right add to a cell."""
        return -self.width, self.width, -1, 1

    @cached_property
    def neighbours(self) -> Mapping[int, tuple[int, ...]]:
        """The floor beside each cell of the floor."""
        return {
            cell: tuple(cell + step for step in self.steps if cell + step in self.floor)
            for cell in self.floor
        }

    @cached_property
    def push_distances(self) -> Mapping[int, int]:
        """The pushes that a box alone in the room needs to its nearest target, by its cell. Missing
        cells are dead: corners, and walls along which there is no target."""
        distances = dict.fromkeys(self.targets, 0)
        queue = list(distances)
        for cell in queue:
            for step in self.steps:
                # The push that brings a box here came from ``before``, with the player behind it.
                before = cell + step
                if {before, before + step} <= self.floor and before not in distances:
                    distances[before] = distances[cell] + 1
                    queue.append(before)
        return distances


class Position(NamedTuple):
    """Where the player and the boxes are."""

    player: int
    boxes: Boxes


FLOOR_MARKS: Final = FLOOR + TARGET + BOX + PLACED + PLAYER + PLAYER_ON_TARGET


def level_from(rows: Sequence[str]) -> Level:
    """The level that equally long rows of marks show."""
    marks = list(enumerate("".join(rows)))

    def cells(kinds: str) -> frozenset[int]:
        return frozenset(cell for cell, mark in marks if mark in kinds)

    (player,) = cells(PLAYER + PLAYER_ON_TARGET)
    return Level(
        width=len(rows[0]),
        floor=cells(FLOOR_MARKS),
        targets=cells(TARGET + PLACED + PLAYER_ON_TARGET),
        boxes=cells(BOX + PLACED),
        player=player,
    )


def moved(level: Level, position: Position, direction: int) -> Position | None:
    """The position after a step, which may push a box; None where something is in the way."""
    step = level.steps[direction]
    ahead = position.player + step
    if ahead not in level.floor:
        return None
    if ahead not in position.boxes:
        return Position(ahead, position.boxes)
    behind = ahead + step
    if behind not in level.floor or behind in position.boxes:
        return None
    return Position(ahead, position.boxes - {ahead} | {behind})


def reach(level: Level, position: Position) -> dict[int, int]:
    """The cells that the player can walk to without pushing, nearest first, with the steps it
    takes."""
    distances = {position.player: 0}
    queue = [position.player]
    for cell in queue:
        for ahead in level.neighbours[cell]:
            if ahead not in position.boxes and ahead not in distances:
                distances[ahead] = distances[cell] + 1
                queue.append(ahead)
    return distances


def pushes_at_least(level: Level, boxes: Boxes) -> int:
    """Never more than the pushes that are needed: each box goes to its nearest target. None of the
    boxes stands on a dead cell."""
    distances = level.push_distances
    return sum(distances[box] for box in boxes)
