"""Levels from a seed: a room is carved, the boxes put on their targets, and the game is played
backwards, pulling the boxes away. What comes out can be solved; the solver says in how many moves,
and levels that are too easy or too long are thrown away."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Final, NamedTuple

from goodput.arena.games.chance import branch, draw
from goodput.arena.games.sokoban.level import Level, Position, pushes_at_least, reach
from goodput.arena.games.sokoban.solver import solve

SIDE: Final = 8
"""Rows and columns of every room, its walls included."""


class Grade(NamedTuple):
    """What a level must be like: its boxes, and the least and most moves of its par."""

    boxes: int
    least: int
    most: int


GRADES: Final = (
    Grade(1, 6, 14),
    Grade(2, 10, 22),
    Grade(2, 14, 28),
    Grade(3, 16, 34),
    Grade(3, 18, 38),
    Grade(3, 20, 44),
)
"""The levels of a game, each harder than the one before."""

Dice = Callable[[int], int]

_HALLS: Final = 5
"""Rectangles that a room is made of."""
_LEAST_FLOOR: Final = 16
_PULLS: Final = 100


class Puzzle(NamedTuple):
    """A level and its par: the moves of the shortest solution."""

    level: Level
    par: int


@lru_cache(maxsize=1024)
def puzzle_of(seed: int, index: int) -> Puzzle:
    """The level number ``index`` (from 0) of a seed, always the same."""
    grade = GRADES[index]
    stream = branch(seed, index)
    for attempt in count():
        level = _played_backwards(_dice(branch(stream, attempt)), grade.boxes)
        if level is None:
            continue
        way = solve(level, Position(level.player, level.boxes), grade.most)
        if way is not None and len(way) >= grade.least:
            return Puzzle(level, len(way))
    raise AssertionError("a count ends")


def _dice(seed: int) -> Dice:
    """Gives the next number of a stream in [0, bound)."""
    counter = count()
    return lambda bound: draw(seed, next(counter), bound)


def _played_backwards(dice: Dice, boxes: int) -> Level | None:
    """A level that can be solved, or None where the room is no good."""
    floor = _carved(dice)
    cells = sorted(floor)
    targets: set[int] = set()
    while len(targets) < boxes:
        targets.add(cells[dice(len(cells))])
    free = [cell for cell in cells if cell not in targets]
    position = Position(free[dice(len(free))], frozenset(targets))
    level = Level(SIDE, floor, position.boxes, position.boxes, position.player)
    if len(floor) < _LEAST_FLOOR or len(reach(level, position)) + boxes < len(floor):
        return None
    position = _pulled_away(level, position, dice)
    if position.boxes & level.targets:
        return None
    return Level(SIDE, floor, level.targets, position.boxes, position.player)


def _pulled_away(level: Level, position: Position, dice: Dice) -> Position:
    """Pull boxes at random; of what comes about, the position that is furthest from the solution,
    as far as can be told without solving it."""
    furthest, most = position, 0
    for _ in range(_PULLS):
        pulls = _pulls(level, position)
        if not pulls:
            break
        position = pulls[dice(len(pulls))]
        pushes = pushes_at_least(level, position.boxes)
        if pushes > most and not position.boxes & level.targets:
            furthest, most = position, pushes
    return furthest


def _carved(dice: Dice) -> frozenset[int]:
    """Rectangles of 2 to 4 cells a side, anywhere within the walls."""
    floor: set[int] = set()
    for _ in range(_HALLS):
        height, width = 2 + dice(3), 2 + dice(3)
        top, left = 1 + dice(SIDE - 1 - height), 1 + dice(SIDE - 1 - width)
        floor |= {
            row * SIDE + column
            for row in range(top, top + height)
            for column in range(left, left + width)
        }
    return frozenset(floor)


def _pulls(level: Level, position: Position) -> list[Position]:
    """The positions one pull away: the player, beside a box, steps back and takes it along."""
    near = reach(level, position)
    return [
        Position(box + 2 * step, position.boxes - {box} | {box + step})
        for box in sorted(position.boxes)
        for step in level.steps
        if box + step in near and box + 2 * step in near
    ]
