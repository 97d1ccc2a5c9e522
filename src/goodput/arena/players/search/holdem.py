"""Hold'em: how often the own cards would win, against what the pot offers.

The chance is counted over hands that the other seat might have and boards that might come, dealt
with dice of the player's own: it never looks at what it could not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.arena.games.holdem.cards import DECK
from goodput.arena.games.holdem.hand import (
    ALL_IN,
    CALL,
    CHECK,
    FOLD,
    RAISE_HALF,
    RAISE_POT,
    Hand,
)
from goodput.arena.games.holdem.match import Match
from goodput.arena.games.holdem.ranking import strength
from goodput.arena.games.rules import Rules
from goodput.arena.players.search import Draw

_DEALS: Final = 120
_RESPECT: Final = 0.05
"""How much each raise of the other seat takes from the chance: it has a hand to show for it."""
_VALUE: Final = ((0.85, ALL_IN), (0.70, RAISE_POT), (0.58, RAISE_HALF))
"""From which chance on to raise, and how."""


def choose(rules: Rules[Match], state: Match, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """Raise with the better hand, call at the right price, else give up."""
    hand = state.hand
    chance = equity(hand.deal.holes[seat], hand.board, draw) - _RESPECT * _raises(hand, 1 - seat)
    for least, action in _VALUE:
        if chance >= least and action in legal:
            return action
    if CHECK in legal:
        return CHECK
    price = min(hand.to_call, hand.stacks[seat])
    # What the other seat has bet beyond the price goes back to it.
    pot = hand.pot - (hand.to_call - price) + price
    return CALL if chance * pot >= price else FOLD


def equity(own: Sequence[int], board: Sequence[int], draw: Draw) -> float:
    """The share of the pot that ``own`` wins on average against two random cards."""
    unseen = [card for card in DECK if card not in own and card not in board]
    missing = 5 - len(board)
    won = 0.0
    for _ in range(_DEALS):
        cards = _drawn(unseen, 2 + missing, draw)
        full = (*board, *cards[2:])
        mine, theirs = strength((*own, *full)), strength((*cards[:2], *full))
        won += 1.0 if mine > theirs else 0.5 * (mine == theirs)
    return won / _DEALS


def _drawn(cards: list[int], wanted: int, draw: Draw) -> list[int]:
    """``wanted`` different cards by lot. Reorders ``cards``."""
    for index in range(wanted):
        other = index + draw(len(cards) - index)
        cards[index], cards[other] = cards[other], cards[index]
    return cards[:wanted]


def _raises(hand: Hand, seat: int) -> int:
    raising = (RAISE_HALF, RAISE_POT, ALL_IN)
    return sum(deed.seat == seat and deed.action in raising for deed in hand.deeds)
