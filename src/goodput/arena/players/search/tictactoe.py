"""Tic-tac-toe to its end: never loses, and wins as soon as the other side lets it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from goodput.arena.games.rules import Rules
from goodput.arena.games.tictactoe import CELLS, FULL, Marks, has_line
from goodput.arena.players.search import Draw


def choose(rules: Rules[Marks], state: Marks, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """One of the best cells, by lot."""
    own, other = (state.crosses, state.noughts) if seat == 0 else (state.noughts, state.crosses)
    worths = {cell: -_worth(other, own | 1 << cell) for cell in legal}
    best = [cell for cell in legal if worths[cell] == max(worths.values())]
    return best[draw(len(best))]


@cache
def _worth(own: int, other: int) -> int:
    """What the position is worth to the side to move, whose cells are ``own``: 0 for a draw, above
    for a win and below for a loss, further from 0 the sooner it comes."""
    empty = FULL & ~(own | other)
    if has_line(other):
        return -1 - empty.bit_count()
    cells = [cell for cell in range(CELLS) if empty >> cell & 1]
    return max((-_worth(other, own | 1 << cell) for cell in cells), default=0)
