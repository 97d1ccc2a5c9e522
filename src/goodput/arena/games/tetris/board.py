"""The matrix as one integer, so that a piece is tested against walls, floor and stack at once.

A row takes 16 bits: three of wall, ten cells from left to right, three of wall; five rows of floor
lie below row 0. A piece's mask is shifted by its **place**, one number for row and column: one step
right is +1, one row up is +16. ``cells`` holds the stack alone; walls and floor are ORed in.
"""

from __future__ import annotations

from typing import Final

WIDTH: Final = 10
HEIGHT: Final = 20
"""Rows below the skyline. Pieces enter above it."""
UP: Final = 16
_MARGIN: Final = 3
_FLOOR_ROWS: Final = 5
_ROWS: Final = 40
_TALLEST: Final = 4

_FLOOR: Final = _FLOOR_ROWS * UP
_TEN: Final = (1 << WIDTH) - 1
_FULL_ROW: Final = _TEN << _MARGIN
_WHOLE_ROW: Final = (1 << UP) - 1
WALLS: Final = sum((_WHOLE_ROW ^ _FULL_ROW) << (row * UP) for row in range(_FLOOR_ROWS + _ROWS)) | (
    (1 << _FLOOR) - 1
)
INSIDE: Final = sum(_FULL_ROW << (row * UP) for row in range(_FLOOR_ROWS, _FLOOR_ROWS + _ROWS))
"""Every cell between the walls, above the floor."""


def place(row: int, column: int) -> int:
    """The place of a cell, or of a piece's box by its lower left corner. Both count from 0, rows
    upwards; a box may begin up to three columns or five rows outside."""
    return _FLOOR + row * UP + column + _MARGIN


def row_of(at: int) -> int:
    """The row of a place."""
    return at // UP - _FLOOR_ROWS


def column_of(at: int) -> int:
    """The column of a place."""
    return at % UP - _MARGIN


def landing(cells: int, shape: int, at: int) -> int:
    """The place where a piece ends that falls straight down from ``at``."""
    solid = cells | WALLS
    while not solid & shape << (at - UP):
        at -= UP
    return at


def without_full_rows(cells: int, at: int) -> tuple[int, int]:
    """Clear the full rows among the four from ``at`` on; the new cells and how many there were."""
    cleared = 0
    lowest = at // UP * UP
    for row in range(lowest + (_TALLEST - 1) * UP, lowest - UP, -UP):
        if cells >> row & _FULL_ROW == _FULL_ROW:
            cells = cells >> (row + UP) << row | cells & ((1 << row) - 1)
            cleared += 1
    return cells, cleared


def with_garbage(cells: int, rows: int, hole: int) -> int:
    """Lift everything by ``rows`` rows that are full but for the column ``hole``."""
    line = _FULL_ROW & ~(1 << (hole + _MARGIN))
    return cells << (rows * UP) | sum(line << (_FLOOR + row * UP) for row in range(rows))


def row_in(bits: int, row: int) -> int:
    """The ten cells of a row as a number whose lowest bit is the leftmost cell."""
    return bits >> (_FLOOR + row * UP + _MARGIN) & _TEN


def cells_from(rows: list[str]) -> int:
    """The cells of a drawing, from the top row to the bottom one; "." and " " are empty."""
    return sum(
        1 << place(height, column)
        for height, line in enumerate(reversed(rows))
        for column, mark in enumerate(line)
        if mark not in ". "
    )
