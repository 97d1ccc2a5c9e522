"""A board as characters, and as a picture of the same."""

from __future__ import annotations

from typing import Final

from goodput.arena.games.drawing import Colour, canvas, rectangle, write
from goodput.arena.games.match3.board import BOMB, COLUMN, ROW, SIZE, Board, colour_of, special_of
from goodput.arena.games.rules import Picture

LETTERS: Final = "RGBYP"
MARKS: Final = " -|*"
"""By special."""

_CELL: Final = 42
_HEAD: Final = 24
_EDGE: Final = 20
_BACKGROUND: Final[Colour] = (26, 28, 34)
_FIELD: Final[Colour] = (42, 45, 54)
_INK: Final[Colour] = (220, 222, 228)
_WHITE: Final[Colour] = (250, 250, 250)
_COLOURS: Final[tuple[Colour, ...]] = (
    (220, 72, 78),
    (78, 182, 94),
    (74, 128, 232),
    (234, 200, 66),
    (172, 96, 214),
)


def name_of(cell: int) -> str:
    """A cell's column and row, as in "c4"."""
    return f"{'abcdefgh'[cell % SIZE]}{cell // SIZE + 1}"


def rows_of(board: Board) -> list[str]:
    """The column names, then a line a row: a letter for the colour, a mark for the special."""
    rows = [board[first : first + SIZE] for first in range(0, len(board), SIZE)]
    return ["  a  b  c  d  e  f  g  h"] + [
        f"{number} {' '.join(LETTERS[colour_of(t)] + MARKS[special_of(t)] for t in row)}".rstrip()
        for number, row in enumerate(rows, start=1)
    ]


def draw_board(board: Board, status: str) -> Picture:
    """The board with its names at the upper and left edge, and a line of text above."""
    side = SIZE * _CELL
    picture = canvas(side + _HEAD + _EDGE, side + _EDGE + 4, _BACKGROUND)
    write(picture, 6, _EDGE, status, _INK, 2)
    for index in range(SIZE):
        write(picture, _HEAD + 8, _EDGE + index * _CELL + 18, "ABCDEFGH"[index], _INK)
        write(picture, _HEAD + _EDGE + index * _CELL + 17, 8, str(index + 1), _INK)
    for cell, tile in enumerate(board):
        y, x = _HEAD + _EDGE + cell // SIZE * _CELL, _EDGE + cell % SIZE * _CELL
        rectangle(picture, y, x, _CELL - 2, _CELL - 2, _FIELD)
        _draw_tile(picture, y, x, tile)
    return picture


def _draw_tile(picture: Picture, y: int, x: int, tile: int) -> None:
    """A square with cut corners, its colour's letter, and white bars for what it will take."""
    colour, special = _COLOURS[colour_of(tile)], special_of(tile)
    rectangle(picture, y + 4, x + 8, _CELL - 10, _CELL - 18, colour)
    rectangle(picture, y + 8, x + 4, _CELL - 18, _CELL - 10, colour)
    if special in (ROW, BOMB):
        rectangle(picture, y + 6, x + 8, 3, _CELL - 18, _WHITE)
        rectangle(picture, y + _CELL - 11, x + 8, 3, _CELL - 18, _WHITE)
    if special in (COLUMN, BOMB):
        rectangle(picture, y + 8, x + 6, _CELL - 18, 3, _WHITE)
        rectangle(picture, y + 8, x + _CELL - 11, _CELL - 18, 3, _WHITE)
    write(picture, y + 13, x + 15, LETTERS[colour_of(tile)], _BACKGROUND, 2)
