"""One hand between two seats: blinds, four rounds of betting, and who gets the pot.

The button posts the small blind and acts first before the flop, second after it. A raise is by at
least the last bet or raise of the round, or else the big blind, unless it is all-in. What a seat
has bet beyond what the other can call goes back to it, so every pot at a showdown is even.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from goodput.arena.games.chance import branch, shuffled
from goodput.arena.games.holdem.cards import DECK
from goodput.arena.games.holdem.ranking import strength
from goodput.arena.games.rules import IllegalAction

ACTIONS: Final = ("fold", "check", "call", "raise-half", "raise-pot", "all-in")
FOLD, CHECK, CALL, RAISE_HALF, RAISE_POT, ALL_IN = range(6)

SMALL_BLIND: Final = 2
BIG_BLIND: Final = 4

PREFLOP, FLOP, TURN, RIVER, SHOWDOWN = range(5)
SHOWN: Final = (0, 3, 4, 5, 5)
"""Cards of the board that lie open, by street."""

Pair = tuple[int, int]
"""A number or a card a seat; or two cards."""


class Deal(msgspec.Struct, frozen=True):
    """The cards of a hand: two for each seat, and the whole board."""

    holes: tuple[Pair, Pair]
    board: tuple[int, int, int, int, int]


class Deed(NamedTuple):
    """What a seat did, and its bet of the street after that."""

    street: int
    seat: int
    action: int
    bet: int


class Hand(msgspec.Struct, frozen=True):
    """A hand at any point. ``began`` are the stacks before the blinds, ``stacks`` what is left
    behind, ``bets`` what lies before the seats from this street. ``acted`` counts the actions since
    the last raise, it included; two end the street."""

    deal: Deal
    button: int
    began: Pair
    stacks: Pair
    bets: Pair
    street: int
    mover: int
    least_raise: int = BIG_BLIND
    acted: int = 0
    folded: int | None = None
    deeds: tuple[Deed, ...] = ()

    @property
    def over(self) -> bool:
        return self.folded is not None or self.street == SHOWDOWN

    @property
    def pot(self) -> int:
        """All chips that were put in, the bets of this street included."""
        return sum(self.began) - sum(self.stacks)

    @property
    def to_call(self) -> int:
        """What the mover is behind by, even if it has less."""
        return self.bets[1 - self.mover] - self.bets[self.mover]

    @property
    def board(self) -> tuple[int, ...]:
        """The cards that lie open."""
        return self.deal.board[: SHOWN[self.street]]


def dealt(seed: int, number: int) -> Deal:
    """The cards of hand ``number`` (from 0) of a seed."""
    a, b, c, d, *board = shuffled(branch(seed, number), 0, DECK)[:9]
    first, second, third, fourth, fifth = board
    return Deal(((a, b), (c, d)), (first, second, third, fourth, fifth))


def opened(deal: Deal, button: int, stacks: Pair) -> Hand:
    """A hand whose blinds are posted, by seats that have at least a chip each."""
    small, big = min(SMALL_BLIND, stacks[button]), min(BIG_BLIND, stacks[1 - button])
    bets = _pair(button, small, big)
    behind = stacks[0] - bets[0], stacks[1] - bets[1]
    hand = Hand(deal, button, stacks, behind, bets, PREFLOP, button)
    nothing_to_decide = behind[button] == 0 or (behind[1 - button] == 0 and big <= small)
    return _street_ended(hand) if nothing_to_decide else hand


def legal(hand: Hand) -> list[int]:
    """The actions of the mover. It never folds for nothing, and never raises a seat that is all-in;
    a raise that would take all its chips is called all-in."""
    if hand.over:
        return []
    actions = [FOLD, CALL] if hand.to_call > 0 else [CHECK]
    own, other = hand.stacks[hand.mover], hand.stacks[1 - hand.mover]
    if own > hand.to_call and other > 0:
        raises = (RAISE_HALF, RAISE_POT)
        actions += [action for action in raises if _chips_of_raise(hand, action) < own]
        actions.append(ALL_IN)
    return actions


def raised_bet(hand: Hand, action: int) -> int:
    """What the mover's bet of the street would be after RAISE_HALF or RAISE_POT."""
    return hand.bets[hand.mover] + _chips_of_raise(hand, action)


def played(hand: Hand, action: int) -> Hand:
    """The hand after the mover's action; raises IllegalAction where ``legal`` lacks it."""
    if action not in legal(hand):
        word = ACTIONS[action] if 0 <= action < len(ACTIONS) else action
        raise IllegalAction(f"{word} is not possible now")
    seat, chips = hand.mover, _chips(hand, action)
    bets, stacks = list(hand.bets), list(hand.stacks)
    bets[seat] += chips
    stacks[seat] -= chips
    raised = chips - hand.to_call if action in (RAISE_HALF, RAISE_POT, ALL_IN) else 0
    after = replace(
        hand,
        bets=(bets[0], bets[1]),
        stacks=(stacks[0], stacks[1]),
        mover=1 - seat,
        least_raise=max(hand.least_raise, raised),
        acted=1 if raised else hand.acted + 1,
        folded=seat if action == FOLD else None,
        deeds=(*hand.deeds, Deed(hand.street, seat, action, bets[seat])),
    )
    ended = after.acted == 2 and after.folded is None
    return _street_ended(after) if ended else after


def won(hand: Hand) -> Pair:
    """The chips that each seat gets from the pot of a hand that is over."""
    if hand.folded is not None:
        return _pair(hand.folded, 0, hand.pot)
    first, second = (strength((*hole, *hand.deal.board)) for hole in hand.deal.holes)
    if first == second:
        return hand.pot // 2, hand.pot // 2
    return (hand.pot, 0) if first > second else (0, hand.pot)


def stacks_after(hand: Hand) -> Pair:
    """The stacks when a hand is over and the pot is paid."""
    paid = won(hand)
    return hand.stacks[0] + paid[0], hand.stacks[1] + paid[1]


def _street_ended(hand: Hand) -> Hand:
    """The next street, or the showdown after the last and where a seat is all-in."""
    called = min(hand.bets)
    stacks = (
        hand.stacks[0] + hand.bets[0] - called,
        hand.stacks[1] + hand.bets[1] - called,
    )
    return replace(
        hand,
        stacks=stacks,
        bets=(0, 0),
        street=SHOWDOWN if 0 in stacks else hand.street + 1,
        mover=1 - hand.button,
        least_raise=BIG_BLIND,
        acted=0,
    )


def _chips(hand: Hand, action: int) -> int:
    """What the mover puts in with a legal action."""
    own = hand.stacks[hand.mover]
    if action == CALL:
        return min(hand.to_call, own)
    if action == ALL_IN:
        return own
    return _chips_of_raise(hand, action) if action in (RAISE_HALF, RAISE_POT) else 0


def _chips_of_raise(hand: Hand, action: int) -> int:
    """A call, and half or all of the pot as it is after the call; the least raise if that is
    more."""
    pot = hand.pot + hand.to_call
    return hand.to_call + max(hand.least_raise, pot if action == RAISE_POT else pot // 2)


def _pair(seat: int, own: int, other: int) -> Pair:
    """``own`` for ``seat``, ``other`` for the other one."""
    return (own, other) if seat == 0 else (other, own)
