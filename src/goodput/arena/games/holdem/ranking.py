"""Which hand beats which."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from goodput.arena.games.holdem.cards import RANKS, rank_of, suit_of

Strength = tuple[int, ...]
"""The category, then the ranks that decide among its hands. The greater tuple wins, equal ones
share."""

CATEGORIES: Final = (
    "high card",
    "pair",
    "two pair",
    "three of a kind",
    "straight",
    "flush",
    "full house",
    "four of a kind",
    "straight flush",
)
(
    HIGH_CARD,
    PAIR,
    TWO_PAIR,
    THREE_OF_A_KIND,
    STRAIGHT,
    FLUSH,
    FULL_HOUSE,
    FOUR_OF_A_KIND,
    STRAIGHT_FLUSH,
) = range(9)

_FIVE_HIGH: Final = RANKS.index("5")
_WHEEL: Final = 1 << RANKS.index("A") | 0b1111


def strength(cards: Iterable[int]) -> Strength:
    """What the best five of five to seven cards are worth."""
    counts = [0] * len(RANKS)
    suits = [0, 0, 0, 0]
    for card in cards:
        counts[rank_of(card)] += 1
        suits[suit_of(card)] |= 1 << rank_of(card)
    flush = next((ranks for ranks in suits if ranks.bit_count() >= 5), 0)
    if flush and (top := _straight_top(flush)) is not None:
        return STRAIGHT_FLUSH, top

    # The most frequent ranks first, of equally frequent ones the highest.
    groups = sorted(((n, rank) for rank, n in enumerate(counts) if n), reverse=True)
    most, next_most = groups[0][0], groups[1][0]
    ranks = [rank for _, rank in groups]
    if most == 4:
        return FOUR_OF_A_KIND, ranks[0], max(ranks[1:])
    if most == 3 and next_most >= 2:
        return FULL_HOUSE, ranks[0], ranks[1]
    if flush:
        return FLUSH, *_highest_five(flush)
    top = _straight_top(suits[0] | suits[1] | suits[2] | suits[3])
    if top is not None:
        return STRAIGHT, top
    if most == 3:
        return THREE_OF_A_KIND, *ranks[:3]
    if next_most == 2:
        return TWO_PAIR, ranks[0], ranks[1], max(ranks[2:])
    if most == 2:
        return PAIR, *ranks[:4]
    return HIGH_CARD, *ranks[:5]


def category_of(cards: Iterable[int]) -> str:
    """The name of the best five's category."""
    return CATEGORIES[strength(cards)[0]]


@cache
def _straight_top(ranks: int) -> int | None:
    """The highest rank of the highest straight among a set of ranks (bits). In the lowest one, the
    wheel, the ace counts below the two."""
    for top in range(len(RANKS) - 1, _FIVE_HIGH, -1):
        if ranks >> top - 4 & 0b11111 == 0b11111:
            return top
    return _FIVE_HIGH if ranks & _WHEEL == _WHEEL else None


@cache
def _highest_five(ranks: int) -> Strength:
    return tuple(rank for rank in reversed(range(len(RANKS))) if ranks >> rank & 1)[:5]
