"""What a player sees of a well, as characters and as a picture of the same characters."""

from __future__ import annotations

from typing import Final

from goodput.arena.games.drawing import Colour, rectangle, text_width, write
from goodput.arena.games.rules import Picture
from goodput.arena.games.tetris.board import HEIGHT, WIDTH, landing, row_in
from goodput.arena.games.tetris.pieces import CELLS, KINDS
from goodput.arena.games.tetris.well import PREVIEW, Well

SHOWN: Final = HEIGHT + 2
"""Rows that are shown: two above the skyline, where pieces enter."""

EMPTY, STACK, PIECE, GHOST = ".#@+"
_MARKS: Final = str.maketrans("01234567", EMPTY + STACK + GHOST + STACK + 4 * PIECE)

LEGEND: Final = (
    f"Marks: {PIECE} falling piece, {GHOST} where it would land, {STACK} stack, {EMPTY} empty. "
    f"Rows {HEIGHT + 1} and {SHOWN} are above the top."
)

BACKGROUND: Final[Colour] = (18, 20, 26)
INK: Final[Colour] = (214, 218, 226)
DIM: Final[Colour] = (124, 130, 144)
_PIT: Final[Colour] = (32, 35, 44)
_SKY: Final[Colour] = (24, 26, 33)
_STONE: Final[Colour] = (148, 155, 170)
_LINE: Final[Colour] = (196, 74, 74)
_COLOURS: Final[tuple[Colour, ...]] = (
    (72, 196, 214),
    (88, 124, 232),
    (236, 152, 62),
    (232, 204, 72),
    (98, 200, 108),
    (178, 104, 222),
    (228, 84, 96),
)
_PREVIEW_CELL: Final = 6


def rows_of(well: Well) -> list[str]:
    """The shown rows from the top to row 1, a character a cell."""
    piece = well.shape << well.at
    ghost = well.shape << landing(well.cells, well.shape, well.at)
    return [
        _marks(row_in(well.cells, row), row_in(piece, row), row_in(ghost, row))
        for row in range(SHOWN - 1, -1, -1)
    ]


def numbered(rows: list[list[str]]) -> str:
    """Wells side by side, each a list of rows, with the rows' and columns' numbers."""
    lines = [
        f"{SHOWN - index:2} " + "  ".join(f"|{row}|" for row in line)
        for index, line in enumerate(zip(*rows, strict=True))
    ]
    columns = "".join(str(column % 10) for column in range(1, WIDTH + 1))
    return "\n".join([*lines, "   " + "  ".join(f" {columns} " for _ in rows)])


def status_of(well: Well) -> str:
    """The line of what is not on the board."""
    return (
        f"piece {KINDS[well.kind]}  next {' '.join(KINDS[kind] for kind in _preview(well))}  "
        f"hold {_held(well)}  level {well.level}  score {well.score}  lines {well.lines}"
    )


def draw_well(picture: Picture, y: int, x: int, cell: int, well: Well) -> None:
    """Draw the shown rows with the top left corner at (y, x), ``cell`` pixels a cell."""
    skyline = y + (SHOWN - HEIGHT) * cell
    rectangle(picture, y, x, skyline - y, WIDTH * cell, _SKY)
    rectangle(picture, skyline, x, HEIGHT * cell, WIDTH * cell, _PIT)
    rectangle(picture, skyline - 1, x, 1, WIDTH * cell, _LINE)
    colour = _COLOURS[well.kind]
    for row, line in enumerate(rows_of(well)):
        for column, mark in enumerate(line):
            top, left = y + row * cell, x + column * cell
            if mark == STACK:
                _block(picture, top, left, cell, _STONE)
            elif mark == PIECE:
                _block(picture, top, left, cell, colour)
            elif mark == GHOST:
                _block(picture, top, left, cell, _shade(colour, 0.6))
                rectangle(picture, top + 2, left + 2, cell - 5, cell - 5, _PIT)


def draw_panel(picture: Picture, y: int, x: int, well: Well) -> None:
    """Draw what is not on the board, about 60 pixels wide and 250 high."""
    for label, number in (("SCORE", well.score), ("LINES", well.lines), ("LEVEL", well.level)):
        write(picture, y, x, label, DIM)
        write(picture, y + 10, x, str(number), INK)
        y += 27
    write(picture, y, x, "HOLD", DIM)
    if well.held is not None:
        colour = _COLOURS[well.held]
        _draw_kind(picture, y + 11, x, well.held, colour if well.may_hold else _shade(colour, 0.4))
        if not well.may_hold:
            write(picture, y, x + text_width("HOLD "), "USED", DIM)
    write(picture, y + 32, x, "NEXT", DIM)
    for index, kind in enumerate(_preview(well)):
        _draw_kind(picture, y + 43 + index * 18, x, kind, _COLOURS[kind])


def _marks(stack: int, piece: int, ghost: int) -> str:
    """A row's characters; the piece hides its ghost."""
    # Binary digits read as decimal ones add up cell by cell.
    sums = int(f"{stack:b}") + 2 * int(f"{ghost:b}") + 4 * int(f"{piece:b}")
    return f"{sums:0{WIDTH}}"[::-1].translate(_MARKS)


def _preview(well: Well) -> tuple[int, ...]:
    return well.queue[:PREVIEW]


def _held(well: Well) -> str:
    if well.held is None:
        return "-"
    return KINDS[well.held] + ("" if well.may_hold else " (used)")


def _draw_kind(picture: Picture, y: int, x: int, kind: int, colour: Colour) -> None:
    """A small piece as it enters, in two rows of four cells."""
    cells = CELLS[kind][0]
    top, left = max(row for _, row in cells), min(column for column, _ in cells)
    for column, row in cells:
        down, across = (top - row) * _PREVIEW_CELL, (column - left) * _PREVIEW_CELL
        rectangle(picture, y + down, x + across, _PREVIEW_CELL - 1, _PREVIEW_CELL - 1, colour)


def _block(picture: Picture, y: int, x: int, cell: int, colour: Colour) -> None:
    rectangle(picture, y, x, cell - 1, cell - 1, _shade(colour, 0.72))
    rectangle(picture, y, x, cell - 3, cell - 3, colour)


def _shade(colour: Colour, light: float) -> Colour:
    red, green, blue = (int(part * light) for part in colour)
    return red, green, blue
