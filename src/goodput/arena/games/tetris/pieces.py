"""The seven pieces: their masks in four turns, where they enter, and how SRS kicks them.

Turns count clockwise: 0 as a piece enters, 1 turned right, 2 upside down, 3 turned left. A piece
that turns keeps its box; where it does not fit, up to five shifts are tried in order. They are
differences of the two turns' offsets, as the Super Rotation System defines them (the tables and
boxes are those of the guideline, https://tetris.wiki/Super_Rotation_System).
"""

from __future__ import annotations

from typing import Final

from goodput.arena.games.tetris.board import HEIGHT, UP, place

KINDS: Final = "IJLOSTZ"
TURNS: Final = 4

_BOXES: Final = (
    ("....", "####", "....", "...."),
    ("#..", "###", "..."),
    ("..#", "###", "..."),
    (".##", ".##", "..."),
    (".##", "##.", "..."),
    (".#.", "###", "..."),
    ("##.", ".##", "..."),
)
_I: Final = KINDS.index("I")
_O: Final = KINDS.index("O")

Cell = tuple[int, int]
"""A column and a row of a box, from its lower left corner."""

_OFFSETS: Final = (
    ((0, 0), (0, 0), (0, 0), (0, 0), (0, 0)),
    ((0, 0), (1, 0), (1, -1), (0, 2), (1, 2)),
    ((0, 0), (0, 0), (0, 0), (0, 0), (0, 0)),
    ((0, 0), (-1, 0), (-1, -1), (0, 2), (-1, 2)),
)
_OFFSETS_OF_I: Final = (
    ((0, 0), (-1, 0), (2, 0), (-1, 0), (2, 0)),
    ((0, 0), (1, 0), (1, 0), (1, 1), (1, -2)),
    ((0, 0), (2, 0), (-1, 0), (2, -1), (-1, -1)),
    ((0, 0), (0, 0), (0, 0), (0, -2), (0, 1)),
)


def _turned(kind: int) -> list[list[Cell]]:
    """The cells of all four turns."""
    size = len(_BOXES[kind])
    cells = [
        (column, size - 1 - row)
        for row, line in enumerate(_BOXES[kind])
        for column, mark in enumerate(line)
        if mark == "#"
    ]
    turns = [cells]
    for _ in range(TURNS - 1):
        cells = cells if kind == _O else [(row, size - 1 - column) for column, row in cells]
        turns.append(cells)
    return turns


def _kicks(kind: int, turn: int, direction: int) -> tuple[int, ...]:
    """The shifts to try, as differences of places."""
    if kind == _O:
        return ()
    offsets = _OFFSETS_OF_I if kind == _I else _OFFSETS
    before, after = offsets[turn], offsets[(turn + direction) % TURNS]
    shifts = ((a[0] - b[0], a[1] - b[1]) for a, b in zip(before, after, strict=True))
    return tuple(column + row * UP for column, row in shifts)


CELLS: Final = tuple(tuple(map(tuple, _turned(kind))) for kind in range(len(KINDS)))
"""By kind and turn: the four cells in the box."""
SHAPES: Final = tuple(
    tuple(sum(1 << (row * UP + column) for column, row in cells) for cells in turns)
    for turns in CELLS
)
"""By kind and turn: the mask, to be shifted left by a place."""
LEFT: Final = tuple(tuple(min(column for column, _ in cells) for cells in turns) for turns in CELLS)
"""By kind and turn: the leftmost column in the box."""
BOTTOM: Final = tuple(tuple(min(row for _, row in cells) for cells in turns) for turns in CELLS)
"""By kind and turn: the lowest row in the box."""
ENTRY: Final = tuple(place(HEIGHT - BOTTOM[kind][0], 3) for kind in range(len(KINDS)))
"""By kind: the place of its box as it enters, just above the skyline."""
KICKS: Final = tuple(
    tuple({way: _kicks(kind, turn, way) for way in (1, -1)} for turn in range(TURNS))
    for kind in range(len(KINDS))
)
"""By kind, turn and direction (1 is clockwise): the shifts to try. The O has none: it looks the
same in every turn, so turning it is no move."""
DISTINCT_TURNS: Final = tuple(
    {"O": (0,), "I": (0, 1), "S": (0, 1), "Z": (0, 1)}.get(letter, (0, 1, 2, 3)) for letter in KINDS
)
"""By kind: the turns that look different."""
