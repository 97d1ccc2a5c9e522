"""Rounds of clearing and falling until a board is at rest, and boards to begin with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from goodput.arena.games.chance import draw, shuffled
from goodput.arena.games.match3.board import (
    CELLS,
    COLOURS,
    SIZE,
    Board,
    has_runs,
    matching_swaps,
)
from goodput.arena.games.match3.clearing import Round, round_of

_SHUFFLES: Final = 500
"""One order in fifty of a usual board has no match; after so many, new tiles are laid."""


class Rested(NamedTuple):
    """A board without matches, how many tiles went, and how many numbers of the seed are used."""

    board: Board
    cleared: int
    drawn: int


def at_rest(board: Board, moved: Collection[int], seed: int, drawn: int) -> Rested:
    """Clear, let fall and fill up until nothing matches. ``moved`` are the cells just swapped."""
    cleared = 0
    found = round_of(board, moved)
    while found is not None:
        board, drawn = fallen(board, found, seed, drawn)
        cleared += len(found.emptied)
        found = round_of(board)
    return Rested(board, cleared, drawn)


def fallen(board: Board, taken: Round, seed: int, drawn: int) -> tuple[Board, int]:
    """The board after a round: tiles fall into the empty cells below them, and new plain ones fill
    each column from the top, the leftmost column first. Also the numbers drawn by now."""
    tiles = list(board)
    for cell, tile in taken.left.items():
        tiles[cell] = tile
    for column in sorted({cell % SIZE for cell in taken.emptied}):
        cells = range(CELLS - SIZE + column, -1, -SIZE)
        staying = [tiles[cell] for cell in cells if cell not in taken.emptied]
        for index, cell in enumerate(cells):
            if index < len(staying):
                tiles[cell] = staying[index]
            else:
                tiles[cell] = draw(seed, drawn, COLOURS)
                drawn += 1
    return tuple(tiles), drawn


def laid(seed: int, drawn: int) -> tuple[Board, int]:
    """A board of plain tiles without a match and with a swap that makes one, and the numbers drawn
    by now."""
    while True:
        tiles: list[int] = []
        for cell in range(CELLS):
            colours = [colour for colour in range(COLOURS) if not _ends_run(tiles, cell, colour)]
            tiles.append(colours[draw(seed, drawn, len(colours))])
            drawn += 1
        if matching_swaps(tiles):
            return tuple(tiles), drawn


def playable(board: Board, seed: int, drawn: int) -> tuple[Board, int]:
    """The board itself, or, where no swap would match, its tiles in another order without a match
    and with such a swap. Also the numbers drawn by now."""
    if matching_swaps(board):
        return board, drawn
    for _ in range(_SHUFFLES):
        mixed = shuffled(seed, drawn, board)
        drawn += CELLS - 1
        if not has_runs(mixed) and matching_swaps(mixed):
            return mixed, drawn
    return laid(seed, drawn)


def _ends_run(tiles: list[int], cell: int, colour: int) -> bool:
    """Whether a colour would be the third in line to the left or above."""
    left = cell % SIZE >= 2 and tiles[cell - 1] == tiles[cell - 2] == colour
    return left or (cell >= 2 * SIZE and tiles[cell - SIZE] == tiles[cell - 2 * SIZE] == colour)
