"""What a seat sees: its own cards, the open board, the chips, and what was done. The other's cards
only after a showdown, as of the last hand."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from goodput.arena.games.drawing import Colour, canvas, rectangle, write
from goodput.arena.games.font import ADVANCE
from goodput.arena.games.holdem.cards import RANKS, name_of, rank_of, suit_of
from goodput.arena.games.holdem.hand import (
    ALL_IN,
    CALL,
    CHECK,
    FOLD,
    RAISE_HALF,
    RAISE_POT,
    Deed,
    Hand,
    legal,
    raised_bet,
    stacks_after,
)
from goodput.arena.games.holdem.ranking import category_of
from goodput.arena.games.rules import Picture

STREETS: Final = ("preflop", "flop", "turn", "river")

_SIGNS: Final = "♣♦♥♠"
_WIDTH: Final = 392
_HEIGHT: Final = 380
_EDGE: Final = 10
_LINE: Final = 13
_LETTERS: Final = (_WIDTH - 2 * _EDGE) // ADVANCE
_CARD_HEIGHT: Final = 62
_CARD_WIDTH: Final = 44
_TABLE: Final[Colour] = (26, 64, 48)
_INK: Final[Colour] = (226, 230, 224)
_CARD: Final[Colour] = (244, 242, 234)
_BLANK: Final[Colour] = (36, 84, 64)
_SUIT_COLOURS: Final[tuple[Colour, ...]] = (
    (30, 110, 60),
    (40, 90, 200),
    (200, 44, 44),
    (28, 30, 36),
)


class Lines(NamedTuple):
    """A seat's view in words; a picture shows the first two as cards."""

    own: str
    board: str
    rest: list[str]


def lines_of(hand: Hand, last: Hand | None, seat: int) -> Lines:
    """What ``seat`` sees of a hand and of how the last one ended."""
    chips = [
        f"pot {hand.pot}" + (f", to call {_price(hand)}" if hand.to_call > 0 else ""),
        f"you have {hand.stacks[seat]}, opponent has {hand.stacks[1 - seat]}",
    ]
    rest = [*chips, *_story(hand, seat), *_sizes(hand, seat)]
    if last is not None:
        rest.append(f"last hand: {_ending(last, seat)}")
    if hand.over:
        rest.append(f"this hand: {_ending(hand, seat)}")
    return Lines(
        f"your cards: {_names(hand.deal.holes[seat])}",
        f"board: {_names(hand.board) or 'no cards yet'}",
        rest,
    )


def draw_table(hand: Hand, seat: int, lines: Sequence[str]) -> Picture:
    """The cards that ``seat`` sees, and lines of text below."""
    picture = canvas(_HEIGHT, _WIDTH, _TABLE)
    write(picture, _EDGE, _EDGE, "your cards", _INK)
    _draw_cards(picture, _EDGE + _LINE, hand.deal.holes[seat], 2)
    middle = _EDGE + _LINE + _CARD_HEIGHT + 10
    write(picture, middle, _EDGE, "board", _INK)
    _draw_cards(picture, middle + _LINE, hand.board, 5)
    y = middle + _LINE + _CARD_HEIGHT + 12
    for line in lines:
        for part in textwrap.wrap(line, _LETTERS, subsequent_indent="  "):
            write(picture, y, _EDGE, part, _INK)
            y += _LINE
    return picture


def _names(cards: Iterable[int]) -> str:
    return " ".join(map(name_of, cards))


def _price(hand: Hand) -> int:
    """What the mover pays for a call."""
    return min(hand.to_call, hand.stacks[hand.mover])


def _story(hand: Hand, seat: int) -> list[str]:
    """A line a street with what was done in it."""
    lines = []
    for street, name in enumerate(STREETS):
        bet = 0 if street else 1
        told = []
        for deed in hand.deeds:
            if deed.street == street:
                told.append(_told(deed, seat, first_bet=not bet))
                bet = max(bet, deed.bet)
        if told:
            lines.append(f"{name}: {', '.join(told)}")
    return lines


def _told(deed: Deed, seat: int, *, first_bet: bool) -> str:
    """A deed as ``seat`` would tell it."""
    own = deed.seat == seat
    who, ending = ("you", "") if own else ("opponent", "s")
    if deed.action == ALL_IN:
        return f"{who} {'go' if own else 'goes'} all-in for {deed.bet}"
    if deed.action in (RAISE_HALF, RAISE_POT):
        return (
            f"{who} bet{ending} {deed.bet}" if first_bet else f"{who} raise{ending} to {deed.bet}"
        )
    words = {FOLD: "fold", CHECK: "check", CALL: "call"}
    return f"{who} {words[deed.action]}{ending}"


def _sizes(hand: Hand, seat: int) -> list[str]:
    """How much the possible raises are, for the seat that is to move."""
    possible = legal(hand) if hand.mover == seat else []
    sizes = [
        f"{name} bets {raised_bet(hand, action)}"
        for action, name in ((RAISE_HALF, "raise-half"), (RAISE_POT, "raise-pot"))
        if action in possible
    ]
    if ALL_IN in possible:
        sizes.append(f"all-in bets {hand.bets[seat] + hand.stacks[seat]}")
    return [", ".join(sizes)] if sizes else []


def _ending(hand: Hand, seat: int) -> str:
    """How a hand ended for ``seat``."""
    change = stacks_after(hand)[seat] - hand.began[seat]
    what = f"won {change}" if change > 0 else f"lost {-change}" if change else "split the pot"
    if hand.folded is not None:
        return f"you {what}, {'you' if hand.folded == seat else 'opponent'} folded"
    board = hand.deal.board
    own, other = (
        f"{_names(hand.deal.holes[whose])} ({category_of((*hand.deal.holes[whose], *board))})"
        for whose in (seat, 1 - seat)
    )
    return f"you {what} with {own} against {other} on {_names(board)}"


def _draw_cards(picture: Picture, y: int, cards: Sequence[int], places: int) -> None:
    """Cards from the left edge on, and empty places up to ``places``."""
    for place in range(places):
        x = _EDGE + place * (_CARD_WIDTH + 8)
        rectangle(picture, y, x, _CARD_HEIGHT, _CARD_WIDTH, _BLANK)
        if place < len(cards):
            card = cards[place]
            colour = _SUIT_COLOURS[suit_of(card)]
            rectangle(picture, y, x, _CARD_HEIGHT, _CARD_WIDTH, _CARD)
            write(picture, y + 6, x + 8, RANKS[rank_of(card)], colour, 3)
            write(picture, y + 34, x + 16, _SIGNS[suit_of(card)], colour, 3)
