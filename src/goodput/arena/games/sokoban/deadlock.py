"""What can never be mended: boxes that no moves whatever will bring to the targets.

Nothing is called a deadlock that is none; some are not recognised, such as those that follow only
from where the player can get to.
"""

from __future__ import annotations

from functools import lru_cache

from goodput.arena.games.sokoban.level import Boxes, Level


@lru_cache(maxsize=1 << 16)
def deadlocked(level: Level, boxes: Boxes) -> bool:
    """Whether a box stands where no push leads to a target, or is held for ever beside one."""
    return any(box not in level.push_distances for box in boxes) or any(
        _frozen(level, boxes, box, frozenset()) for box in boxes - level.targets
    )


def _frozen(level: Level, boxes: Boxes, box: int, held: frozenset[int]) -> bool:
    """Whether ``box`` can move neither way without ruin, if those in ``held`` never move."""
    held = held | {box}
    return all(_blocked(level, boxes, box, step, held) for step in (1, level.width))


def _blocked(level: Level, boxes: Boxes, box: int, step: int, held: frozenset[int]) -> bool:
    """Whether ``box`` cannot be pushed along ``step``, back or forth: it stands at a wall or at a
    box that is frozen itself, or between two dead cells."""
    alive = level.push_distances
    sides = box - step, box + step
    if any(side not in level.floor or side in held for side in sides):
        return True
    if not any(side in alive for side in sides):
        return True
    return any(side in boxes and _frozen(level, boxes, side, held) for side in sides)
