"""The rules of a match: twenty hands, or until a seat has no chips left."""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.games.digest import digest_of
from goodput.arena.games.holdem.hand import (
    ACTIONS,
    BIG_BLIND,
    SMALL_BLIND,
    Hand,
    dealt,
    legal,
    opened,
    played,
    stacks_after,
)
from goodput.arena.games.holdem.view import draw_table, lines_of
from goodput.arena.games.rules import IllegalAction, Picture, Spec

HANDS: Final = 20
"""Even, so that both seats have the button equally often."""
STACK: Final = 200
"""Chips of each seat at the beginning."""


class Match(msgspec.Struct, frozen=True):
    """The hand that is played, its number from 0, and the one before it. When the match is over,
    ``hand`` is over too."""

    seed: int
    number: int
    hand: Hand
    last: Hand | None = None


class Holdem:
    """A seat's score is what it has won in finished hands. Hand n of a seed has the same cards
    whatever was played before, so a match with the seats swapped is a fair rematch."""

    spec = Spec(
        id="holdem-v1",
        title="Texas hold'em",
        actions=ACTIONS,
        seats=2,
        frame_limit=72_000,
        step_limit=400,
        rules_text=(
            "You play no-limit Texas hold'em against one opponent. Each has two cards of its own; "
            "five cards of the board, opened three, one and one, are shared. The best five cards "
            f"of seven win the pot. Both begin with {STACK} chips; the blinds are {SMALL_BLIND} "
            f"(button) and {BIG_BLIND}. The button changes each hand, acts first before the flop "
            "and last after it. raise-half and raise-pot call and raise by half the pot or all of "
            f"it; all-in bets every chip. The match ends after {HANDS} hands or when a stack is "
            "gone; who has more chips wins."
        ),
    )

    def reset(self, seed: int) -> Match:
        return Match(seed, 0, opened(dealt(seed, 0), 0, (STACK, STACK)))

    def step(self, state: Match, action: int, seat: int = 0) -> Match:
        if seat not in self.to_act(state):
            raise IllegalAction(f"seat {seat} is not to move")
        match = Match(state.seed, state.number, played(state.hand, action), state.last)
        while match.hand.over and not _last_hand(match):
            match = _next_hand(match)
        return match

    def frame(self, state: Match) -> Match:
        return state

    def legal(self, state: Match, seat: int = 0) -> list[int]:
        return legal(state.hand) if seat in self.to_act(state) else []

    def to_act(self, state: Match) -> tuple[int, ...]:
        return () if self.over(state) else (state.hand.mover,)

    def over(self, state: Match) -> bool:
        return state.hand.over

    def score(self, state: Match, seat: int = 0) -> float:
        return float(stacks_of(state)[seat] - STACK)

    def outcome(self, state: Match) -> tuple[float, ...]:
        if not self.over(state):
            return ()
        first, second = stacks_of(state)
        if first == second:
            return (0.5, 0.5)
        return (1.0, 0.0) if first > second else (0.0, 1.0)

    def text(self, state: Match, seat: int = 0) -> str:
        lines = lines_of(state.hand, state.last, seat)
        return "\n".join([_title(state, seat), lines.own, lines.board, *lines.rest])

    def picture(self, state: Match, seat: int = 0) -> Picture:
        rest = lines_of(state.hand, state.last, seat).rest
        return draw_table(state.hand, seat, [_title(state, seat), *rest])

    def digest(self, state: Match) -> str:
        hands = (_parts(state.hand), _parts(state.last) if state.last else None)
        return digest_of(state.seed, state.number, *hands)


def stacks_of(state: Match) -> tuple[int, int]:
    """The stacks after the last hand that is over."""
    return stacks_after(state.hand) if state.hand.over else state.hand.began


def _last_hand(match: Match) -> bool:
    """Whether the match ends with this hand, which is over."""
    return match.number + 1 == HANDS or 0 in stacks_after(match.hand)


def _next_hand(match: Match) -> Match:
    number = match.number + 1
    hand = opened(dealt(match.seed, number), number % 2, stacks_after(match.hand))
    return Match(match.seed, number, hand, match.hand)


def _title(state: Match, seat: int) -> str:
    button = "you" if state.hand.button == seat else "opponent"
    return (
        f"hand {state.number + 1} of {HANDS}, blinds {SMALL_BLIND} and {BIG_BLIND}, "
        f"button: {button}"
    )


def _parts(hand: Hand) -> tuple[tuple[int, ...] | int | None, ...]:
    """All of a hand, for its digest."""
    return (
        (*hand.deal.holes[0], *hand.deal.holes[1], *hand.deal.board),
        hand.button,
        hand.began,
        hand.stacks,
        hand.bets,
        (hand.street, hand.mover, hand.least_raise, hand.acted),
        hand.folded,
        tuple(number for deed in hand.deeds for number in deed),
    )
