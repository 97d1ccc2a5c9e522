"""The grid of tiles, the runs in it, and the swaps that would make one.

A board is 64 tiles row by row from the top left; a tile is its colour plus COLOURS times its
special. To look for runs everywhere at once, each colour becomes a mask with one bit a cell and two
empty columns after each row of eight, so that nothing shifted sideways reaches the next row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

SIZE: Final = 8
CELLS: Final = SIZE * SIZE
COLOURS: Final = 5
RUN: Final = 3
"""So many of a colour in line are a match."""

PLAIN, ROW, COLUMN, BOMB = range(4)
"""Specials: a tile that clears its row, its column, or the eight around it when it goes."""

Board = tuple[int, ...]

ACROSS: Final = 1
DOWN: Final = SIZE + 2


def bit_of(cell: int) -> int:
    """The number of a cell's bit in a mask."""
    return cell // SIZE * DOWN + cell % SIZE


def cell_of(bit: int) -> int:
    """The cell of a bit's number."""
    return bit // DOWN * SIZE + bit % DOWN


_CELL_BITS: Final = tuple(1 << bit_of(cell) for cell in range(CELLS))
ON_BOARD: Final = sum(_CELL_BITS)

SWAPS: Final = tuple(
    (cell, cell + beyond)
    for cell in range(CELLS)
    for beyond in (1, SIZE)
    if (cell % SIZE < SIZE - 1 if beyond == 1 else cell + SIZE < CELLS)
)
"""All 112 pairs of neighbours, the left or upper one first."""
_VERTICAL: Final = SIZE * DOWN
_SWAP_BITS: Final = tuple(
    1 << (bit_of(first) + (_VERTICAL if second - first == SIZE else 0)) for first, second in SWAPS
)


def colour_of(tile: int) -> int:
    """A tile's colour."""
    return tile % COLOURS


def special_of(tile: int) -> int:
    """What a tile does when it goes."""
    return tile // COLOURS


def tile_of(colour: int, special: int) -> int:
    """The tile of a colour and a special."""
    return colour + COLOURS * special


def masks_of(board: Sequence[int]) -> list[int]:
    """By colour: where its tiles are."""
    masks = [0] * COLOURS
    for cell, tile in enumerate(board):
        masks[tile % COLOURS] |= _CELL_BITS[cell]
    return masks


def runs_in(mask: int) -> Iterator[list[int]]:
    """The cells of each whole run of three or more, those across first."""
    for step in (ACROSS, DOWN):
        starts = mask & mask >> step & mask >> 2 * step & ~(mask << step)
        for start in bits_in(starts):
            length = RUN
            while mask >> (start + length * step) & 1:
                length += 1
            yield [cell_of(start + index * step) for index in range(length)]


def bits_in(mask: int) -> Iterator[int]:
    """The numbers of the set bits, from the lowest."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def has_runs(board: Sequence[int]) -> bool:
    """Whether any three in line match."""
    masks = masks_of(board)
    return any(mask & mask >> step & mask >> 2 * step for mask in masks for step in (ACROSS, DOWN))


def matching_swaps(board: Sequence[int]) -> list[int]:
    """The indices of SWAPS that make a run, in increasing order. The board has none yet."""
    able = 0
    for mask in masks_of(board):
        able |= _swaps_of_colour(mask)
    return [swap for swap, bit in enumerate(_SWAP_BITS) if able & bit]


def swapped(board: Board, swap: int) -> Board:
    """The board with two neighbours exchanged."""
    first, second = SWAPS[swap]
    tiles = list(board)
    tiles[first], tiles[second] = tiles[second], tiles[first]
    return tuple(tiles)


def _swaps_of_colour(mask: int) -> int:
    """Where a tile of one colour would meet two others if it moved a cell, as bits of swaps.

    For every cell at once: it may come from one side, and meet a pair on another side or the two
    neighbours of the line it is not moving along.
    """
    right, below = mask >> ACROSS, mask >> DOWN
    left, above = mask << ACROSS, mask << DOWN
    pair_right, pair_below = right & mask >> 2 * ACROSS, below & mask >> 2 * DOWN
    pair_left, pair_above = left & mask << 2 * ACROSS, above & mask << 2 * DOWN
    upright = pair_above | pair_below | above & below
    level = pair_left | pair_right | left & right
    from_right = right & (pair_left | upright) & ON_BOARD
    from_left = left & (pair_right | upright) & ON_BOARD
    from_below = below & (pair_above | level) & ON_BOARD
    from_above = above & (pair_below | level) & ON_BOARD
    across, down = from_right | from_left >> ACROSS, from_below | from_above >> DOWN
    return across | down << _VERTICAL
