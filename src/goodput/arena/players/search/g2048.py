"""2048: expectimax over the next two moves, three on a full board.

The chance of every new tile is weighed, so the player knows the odds but not what comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from goodput.arena.games.g2048 import FOUR_IN, SIZE, Board, Line, Tiles, slid
from goodput.arena.games.rules import Rules
from goodput.arena.players.search import Draw

_LOST: Final = -1e6
_EMPTY: Final = 250.0
_EQUAL: Final = 500.0
_DISORDER: Final = 12.0
_CROWDED: Final = 3
"""With so few empty cells or fewer, one move more is looked at."""
_TILES: Final = ((1, 1 - 1 / FOUR_IN), (2, 1 / FOUR_IN))
"""New tiles and their chances."""


def choose(rules: Rules[Tiles], state: Tiles, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The move with the best expected board."""
    depth = 2 if _empty_cells(state.board) <= _CROWDED else 1
    return max(legal, key=lambda action: _expected(slid(state.board, action)[0], depth))


def _expected(board: Board, depth: int) -> float:
    """What a board is worth before the new tile, looking ``depth`` more moves ahead."""
    if depth == 0:
        return sum(map(_order, board)) + sum(map(_order, zip(*board, strict=True)))
    total, cells = 0.0, 0
    for row, line in enumerate(board):
        for column, present in enumerate(line):
            if present:
                continue
            cells += 1
            for tile, chance in _TILES:
                new = (*line[:column], tile, *line[column + 1 :])
                total += chance * _best((*board[:row], new, *board[row + 1 :]), depth)
    return total / cells


@lru_cache(maxsize=1 << 15)
def _best(board: Board, depth: int) -> float:
    """What a board is worth with a move to make."""
    return max((_expected(after, depth - 1) for after in _after(board)), default=_LOST)


def _after(board: Board) -> Iterator[Board]:
    """The boards that the moves lead to."""
    for action in range(4):
        after, _ = slid(board, action)
        if after != board:
            yield after


@lru_cache(maxsize=1 << 17)
def _order(line: Line) -> float:
    """A row or column is good when it has room, equal neighbours, and rises or falls throughout:
    each step against the way costs the difference of the cubes."""
    tiles = [tile for tile in line if tile]
    steps = [line[index + 1] ** 3 - line[index] ** 3 for index in range(SIZE - 1)]
    rises = sum(step for step in steps if step > 0)
    falls = -sum(step for step in steps if step < 0)
    equal = sum(first == second for first, second in pairwise(tiles))
    return _EMPTY * (SIZE - len(tiles)) + _EQUAL * equal - _DISORDER * min(rises, falls)


def _empty_cells(board: Board) -> int:
    return sum(line.count(0) for line in board)
