"""The deck. A card is a number from 0 to 51: four times its rank (0 is a two, 12 an ace) plus its
suit."""

from __future__ import annotations

from typing import Final

DECK: Final = range(52)
RANKS: Final = "23456789TJQKA"
SUITS: Final = "cdhs"


def rank_of(card: int) -> int:
    """From 0 for a two to 12 for an ace."""
    return card >> 2


def suit_of(card: int) -> int:
    """An index into SUITS."""
    return card & 3


def name_of(card: int) -> str:
    """Rank and suit, as in "Ah" or "Tc"."""
    return RANKS[rank_of(card)] + SUITS[suit_of(card)]


def card_of(name: str) -> int:
    """The card of a name."""
    return 4 * RANKS.index(name[0]) + SUITS.index(name[1])
