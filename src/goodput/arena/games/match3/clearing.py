"""What one round takes away: the matches, what their specials reach, and the specials they leave.

Four in line leave a tile that clears its line; five in line, or runs that cross (an L or a T),
leave a bomb. It lies where the player's swap brought a tile to the match, else where its runs
cross, else in the middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from goodput.arena.games.match3.board import (
    BOMB,
    COLUMN,
    PLAIN,
    ROW,
    SIZE,
    colour_of,
    masks_of,
    runs_in,
    special_of,
    tile_of,
)


class Round(NamedTuple):
    """The cells that become empty, and the new special tiles by cell. They share no cell."""

    emptied: frozenset[int]
    left: dict[int, int]


def round_of(board: Sequence[int], moved: Collection[int] = ()) -> Round | None:
    """What the matches of a board do, or None where it has none. ``moved`` are the cells of the
    swap that led to it."""
    groups = [group for mask in masks_of(board) if mask for group in _groups(list(runs_in(mask)))]
    if not groups:
        return None
    left = {}
    for group in groups:
        special = _special(group)
        if special != PLAIN:
            cell = _seat(group, moved)
            left[cell] = tile_of(colour_of(board[cell]), special)
    reached = _reached(board, {cell for group in groups for run in group for cell in run})
    return Round(frozenset(reached - left.keys()), left)


def _groups(runs: list[list[int]]) -> list[list[list[int]]]:
    """Runs of one colour, those that cross one another together."""
    groups: list[list[list[int]]] = []
    for run in runs:
        crossing = [group for group in groups if any(set(run) & set(other) for other in group)]
        groups = [group for group in groups if group not in crossing]
        groups.append([*(other for group in crossing for other in group), run])
    return groups


def _special(group: list[list[int]]) -> int:
    """What a group leaves."""
    longest = max(map(len, group))
    if len(group) > 1 or longest > 4:
        return BOMB
    if longest < 4:
        return PLAIN
    return ROW if group[0][1] - group[0][0] == 1 else COLUMN


def _seat(group: list[list[int]], moved: Collection[int]) -> int:
    """The cell that a group's special lies in."""
    times = Counter(cell for run in group for cell in run)
    for cell in moved:
        if cell in times:
            return cell
    crossings = sorted(cell for cell, count in times.items() if count > 1)
    return crossings[0] if crossings else group[0][len(group[0]) // 2]


def _reached(board: Sequence[int], matched: set[int]) -> set[int]:
    """The matched cells, and all that their specials reach, one setting off the other."""
    reached = set(matched)
    waiting = sorted(matched)
    while waiting:
        cell = waiting.pop()
        special = special_of(board[cell])
        if special != PLAIN:
            new = _AREAS[special][cell] - reached
            reached |= new
            waiting += new
    return reached


def _around(cell: int) -> frozenset[int]:
    row, column = divmod(cell, SIZE)
    return frozenset(
        y * SIZE + x
        for y in range(max(row - 1, 0), min(row + 2, SIZE))
        for x in range(max(column - 1, 0), min(column + 2, SIZE))
    )


_AREAS: Final = {
    ROW: [frozenset(range(c // SIZE * SIZE, (c // SIZE + 1) * SIZE)) for c in range(SIZE * SIZE)],
    COLUMN: [frozenset(range(c % SIZE, SIZE * SIZE, SIZE)) for c in range(SIZE * SIZE)],
    BOMB: [_around(c) for c in range(SIZE * SIZE)],
}
"""By special and cell: what it reaches."""
