"""Connect Four: alpha-beta, deepened move by move until enough positions were looked at.

What lies beyond the horizon is judged by the cells that would complete a line of four: each is
worth as much as it is low, because play reaches the low ones first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from goodput.arena.games.connect_four import (
    COLUMNS,
    DIRECTIONS,
    FULL,
    LOWEST,
    ROWS,
    STRIDE,
    Discs,
    cell_to_fill,
    has_four,
)
from goodput.arena.games.rules import Rules
from goodput.arena.players.search import Draw

_POSITIONS: Final = 4_000
"""No deeper search begins once so many positions were looked at for a move."""
_WON: Final = 1_000
_CENTRE_FIRST: Final = (3, 2, 4, 1, 5, 0, 6)
_ROW_WORTHS: Final = tuple((LOWEST << row, ROWS + 2 - row) for row in range(ROWS))
_CENTRE: Final = ((1 << ROWS) - 1) << STRIDE * 3


def choose(rules: Rules[Discs], state: Discs, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The best column; of equals the one nearest to the centre."""
    own, other = (state.first, state.second) if seat == 0 else (state.second, state.first)
    search = _Search()
    empty = (FULL & ~(own | other)).bit_count()
    order = [column for column in _CENTRE_FIRST if column in legal]
    for depth in range(1, empty + 1):
        worths = search.root(own, other, order, depth)
        order.sort(key=lambda column: -worths[column])
        if search.positions > _POSITIONS or abs(worths[order[0]]) >= _WON:
            break
    return order[0]


class _Search:
    """One decision's searches; ``positions`` counts what they looked at."""

    def __init__(self) -> None:
        self.positions = 0
        self._known: dict[tuple[int, int, int], tuple[int, int]] = {}

    def root(self, own: int, other: int, order: list[int], depth: int) -> dict[int, int]:
        """What each column of ``order`` is worth, exactly for the best one; what is no better than
        an earlier column is worth less here."""
        worths: dict[int, int] = {}
        best = -2 * _WON
        for column in order:
            after = own | cell_to_fill(own | other, column)
            if has_four(after):
                worth = _won_with(own | other)
            else:
                worth = -self._worth(other, after, depth - 1, -2 * _WON, -best)
            worths[column] = worth if worth > best else -2 * _WON
            best = max(best, worth)
        return worths

    def _worth(self, own: int, other: int, depth: int, low: int, high: int) -> int:
        """The worth to the side to move: exact inside (low, high), else a bound on that side.

        Fail-soft negamax: Knuth and Moore, "An analysis of alpha-beta pruning", 1975.
        """
        self.positions += 1
        taken = own | other
        if taken == FULL:
            return 0
        if completing(own, taken) & _reachable(taken):
            return _won_with(taken)
        if depth <= 0:
            return _outlook(own, other)
        key = (own, other, depth)
        known_low, known_high = self._known.get(key, (-2 * _WON, 2 * _WON))
        if known_low >= high or known_low == known_high:
            return known_low
        if known_high <= low:
            return known_high
        best = -2 * _WON
        for disc in _sensible(own, other):
            reach = max(best, low)
            best = max(best, -self._worth(other, own | disc, depth - 1, -high, -reach))
            if best >= high:
                break
        if best >= high:
            self._known[key] = (best, known_high)
        elif best <= low:
            self._known[key] = (known_low, best)
        else:
            self._known[key] = (best, best)
        return best


def completing(discs: int, taken: int) -> int:
    """The empty cells, reachable or not, where one more disc of this side makes four."""
    cells = 0
    for step in DIRECTIONS:
        pair = discs & discs >> step
        # Three in a row with a gap at either end, then with the gap second and third.
        triple = pair & discs >> 2 * step
        cells |= triple >> step | triple << 3 * step
        cells |= (pair & discs >> 3 * step) << 2 * step
        cells |= (discs & pair >> 2 * step) << step
    return cells & FULL & ~taken


def _reachable(taken: int) -> int:
    """The cell that the next disc would take, in every column that is not full."""
    return (taken + LOWEST) & FULL


def _sensible(own: int, other: int) -> Iterator[int]:
    """The discs to try, centre first: only the defence where the other side threatens to win."""
    taken = own | other
    cells = _reachable(taken)
    threats = completing(other, taken) & cells
    for column in _CENTRE_FIRST:
        disc = cell_to_fill(taken, column)
        if disc and (not threats or disc & threats):
            yield disc


def _won_with(taken: int) -> int:
    """What a win with the next disc is worth: more with more cells empty, so soon wins first."""
    return _WON + COLUMNS * ROWS - taken.bit_count()


def _outlook(own: int, other: int) -> int:
    """A guess of the worth, always within the range of no win."""
    taken = own | other
    return _promise(own, taken) - _promise(other, taken)


def _promise(discs: int, taken: int) -> int:
    cells = completing(discs, taken)
    threats = sum(worth * (cells & row).bit_count() for row, worth in _ROW_WORTHS)
    return 4 * threats + (discs & _CENTRE).bit_count()
