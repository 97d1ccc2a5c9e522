"""Match-3: what a swap brings on average, and the best that could follow at once.

What falls from above is imagined with dice of the player's own: it does not know the real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.arena.games.match3.board import SWAPS, Board, matching_swaps, swapped
from goodput.arena.games.match3.cascade import at_rest
from goodput.arena.games.match3.clearing import round_of
from goodput.arena.games.match3.game import Sweep
from goodput.arena.games.rules import Rules
from goodput.arena.players.search import Draw

_FUTURES: Final = 3
"""Imagined continuations of a swap, the same dice for all swaps."""
_SPECIAL: Final = 3.0
"""What a special tile left on the board is worth, in tiles."""


def choose(rules: Rules[Sweep], state: Sweep, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The swap that brings most with the one after it."""
    dice = [draw(1 << 32) for _ in range(_FUTURES)]
    last = state.swaps_left == 1
    return max(legal, key=lambda swap: sum(_worth(state.board, swap, seed, last) for seed in dice))


def _worth(board: Board, swap: int, seed: int, last: bool) -> float:
    """Tiles that go now, and in the first round of the best next swap."""
    now = at_rest(swapped(board, swap), SWAPS[swap], seed, 0)
    if last:
        return now.cleared
    follow = max((_first_round(now.board, after) for after in matching_swaps(now.board)), default=0)
    return now.cleared + follow


def _first_round(board: Board, swap: int) -> float:
    found = round_of(swapped(board, swap), SWAPS[swap])
    return 0.0 if found is None else len(found.emptied) + _SPECIAL * len(found.left)
