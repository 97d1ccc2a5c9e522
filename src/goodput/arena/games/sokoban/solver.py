"""The shortest solution of a level in moves, by A* over pushes (Hart, Nilsson, Raphael 1968)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from goodput.arena.games.sokoban.deadlock import deadlocked
from goodput.arena.games.sokoban.level import Level, Position, pushes_at_least, reach

ANY_LENGTH: Final = 1 << 30


def solve(level: Level, position: Position, most: int = ANY_LENGTH) -> tuple[int, ...] | None:
    """The directions of a shortest way that puts every box on a target; None where there is none
    of at most ``most`` moves. Nothing is left to chance: equal arguments give equal ways."""
    if deadlocked(level, position.boxes):
        return None
    costs = {position: 0}
    came_from: dict[Position, Position] = {}
    queue = [(pushes_at_least(level, position.boxes), 0, position)]
    pushed = 0
    while queue:
        estimate, _, here = heappop(queue)
        if here.boxes <= level.targets:
            return _directions(level, _chain(came_from, here))
        cost = costs[here]
        if estimate > cost + pushes_at_least(level, here.boxes):
            continue  # A shorter way here was found after this entry was made.
        for after, steps in _pushes(level, here):
            total = cost + steps
            if total >= costs.get(after, ANY_LENGTH) or deadlocked(level, after.boxes):
                continue
            bound = total + pushes_at_least(level, after.boxes)
            if bound > most:
                continue
            costs[after] = total
            came_from[after] = here
            pushed += 1
            heappush(queue, (bound, pushed, after))
    return None


def _pushes(level: Level, position: Position) -> Iterator[tuple[Position, int]]:
    """The positions one push away, with the moves up to and including the push."""
    near, boxes = reach(level, position), position.boxes
    for box in sorted(boxes):
        for step in level.steps:
            goal = box + step
            if box - step in near and goal in level.push_distances and goal not in boxes:
                yield Position(box, boxes - {box} | {goal}), near[box - step] + 1


def _chain(came_from: dict[Position, Position], last: Position) -> list[Position]:
    chain = [last]
    while chain[-1] in came_from:
        chain.append(came_from[chain[-1]])
    return chain[::-1]


def _directions(level: Level, chain: list[Position]) -> tuple[int, ...]:
    """The moves of a way that is known push by push."""
    moves: list[int] = []
    for before, after in itertools.pairwise(chain):
        # The player ends where the box was, coming from the cell before it.
        (box,) = before.boxes - after.boxes
        (goal,) = after.boxes - before.boxes
        direction = level.steps.index(goal - box)
        moves += _walk(level, before, box - level.steps[direction])
        moves.append(direction)
    return tuple(moves)


def _walk(level: Level, position: Position, goal: int) -> list[int]:
    """The directions of a shortest walk to ``goal``, which is in reach."""
    distances = reach(level, position)
    walk: list[int] = []
    while goal != position.player:
        direction = next(
            direction
            for direction, step in enumerate(level.steps)
            if distances.get(goal - step, ANY_LENGTH) == distances[goal] - 1
        )
        walk.append(direction)
        goal -= level.steps[direction]
    return walk[::-1]
