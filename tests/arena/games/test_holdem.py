"""Heads-up hold'em: which hand wins, who acts when, what a raise is, and where the chips go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from goodput.arena.games.holdem.cards import DECK, card_of, name_of
from goodput.arena.games.holdem.hand import (
    ALL_IN,
    BIG_BLIND,
    CALL,
    CHECK,
    FLOP,
    FOLD,
    PREFLOP,
    RAISE_HALF,
    RAISE_POT,
    SHOWDOWN,
    SMALL_BLIND,
    TURN,
    Deal,
    Hand,
    legal,
    opened,
    played,
    raised_bet,
    stacks_after,
    won,
)
from goodput.arena.games.holdem.match import HANDS, STACK, Holdem
from goodput.arena.games.holdem.ranking import category_of, strength
from goodput.arena.games.rules import IllegalAction
from goodput.arena.players.program import Draws
from goodput.arena.players.search import find_chooser

RULES = Holdem()


def cards(names: str) -> tuple[int, ...]:
    return tuple(card_of(name) for name in names.split())


def deal(first: str, second: str, board: str) -> Deal:
    a, b, c, d, e = cards(board)
    one, two = cards(first), cards(second)
    return Deal(((one[0], one[1]), (two[0], two[1])), (a, b, c, d, e))


BETTER_FIRST = deal("As Ad", "Ks Kd", "2c 7d 9h Jc 3s")
EQUAL = deal("As 2d", "Ad 2s", "Kc Kd Kh Kc Qs".replace("Kc Qs", "Ks Qs"))


def test_cards_have_names() -> None:
    assert [card_of(name_of(card)) for card in DECK] == list(DECK)


@pytest.mark.parametrize(
    ("hand", "category"),
    [
        ("As Kd 9h 7c 5s 3d 2c", "high card"),
        ("As Ad 9h 7c 5s 3d 2c", "pair"),
        ("As Ad 9h 9c 5s 3d 2c", "two pair"),
        ("As Ad Ah 9c 5s 3d 2c", "three of a kind"),
        ("6s 5d 4h 3c 2s Kd Qc", "straight"),
        ("As 2d 3h 4c 5s Kd Qc", "straight"),  # the wheel
        ("As Ks 9s 7s 2s 3d 2c", "flush"),
        ("As Ad Ah 9c 9s 3d 2c", "full house"),
        ("As Ad Ah Ac 9s 3d 2c", "four of a kind"),
        ("9s 8s 7s 6s 5s Ad Ac", "straight flush"),
        ("As 2s 3s 4s 5s Kd Kc", "straight flush"),
        ("Qs Kd Ah 2c 3s 9d 8c", "high card"),  # no straight goes around the ace
    ],
)
def test_categories(hand: str, category: str) -> None:
    assert category_of(cards(hand)) == category


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("As Kd 9h 7c 5s 3d 2c", "As Qd 9h 7c 5s 3d 2c"),
        ("As Ad Kh 7c 5s 3d 2c", "As Ad Qh Jc Ts 3d 2c"),  # the kicker
        ("As Ad 3h 3c Ks 9d 7c", "Ks Kd Qh Qc As 9d 7c"),  # the higher pair first
        ("6s 5d 4h 3c 2s Kd Qc", "As 2d 3h 4c 5s Kd Qc"),  # the wheel is the lowest
        ("As Js 9s 7s 2s 3d 2c", "As Ts 9s 8s 7s 3d 2c"),
        ("3s 3d 3h 2c 2s Kd Qc", "As Ks 9s 7s 2s 3d 2c"),
        ("9s 9d 9h 8c 8s 7d 7c", "8s 8d 8h As Ad 7d 6c"),
        ("2s 2d 2h 2c As Kd Qc", "As Ad Ah Kc Ks 3d 2c"),
    ],
)
def test_who_wins(better: str, worse: str) -> None:
    assert strength(cards(better)) > strength(cards(worse))


def test_the_sixth_and_seventh_card_do_not_count() -> None:
    assert strength(cards("As Ad Kh Qc Js 3d 2c")) == strength(cards("As Ad Kh Qc Js 9d 8c"))


def test_the_button_posts_the_small_blind_and_acts_first_then_last() -> None:
    hand = opened(BETTER_FIRST, 0, (100, 100))
    assert (hand.bets, hand.mover, hand.pot) == ((SMALL_BLIND, BIG_BLIND), 0, 6)
    hand = played(played(hand, CALL), CHECK)
    assert (hand.street, hand.mover, hand.bets) == (FLOP, 1, (0, 0))


def test_the_big_blind_may_raise_after_a_call() -> None:
    hand = played(opened(BETTER_FIRST, 0, (100, 100)), CALL)
    assert hand.street == PREFLOP and RAISE_POT in legal(hand)


def test_raises_are_of_the_pot_after_the_call() -> None:
    hand = opened(BETTER_FIRST, 0, (100, 100))
    # Calling 2 makes a pot of 8: by half of it, which is the least raise too, to 8; by all, to 12.
    assert (raised_bet(hand, RAISE_HALF), raised_bet(hand, RAISE_POT)) == (8, 12)
    raised = played(hand, RAISE_POT)
    assert raised.least_raise == 8 and raised.to_call == 8
    # Then 12 more at least: the pot is 24 after the call.
    assert raised_bet(raised, RAISE_HALF) == 12 + 12


def test_nobody_folds_for_nothing_and_nobody_is_raised_all_in() -> None:
    hand = played(opened(BETTER_FIRST, 0, (100, 100)), CALL)
    assert FOLD not in legal(hand) and CHECK in legal(hand)
    shoved = played(opened(BETTER_FIRST, 0, (100, 100)), ALL_IN)
    assert legal(shoved) == [FOLD, CALL]
    with pytest.raises(IllegalAction):
        played(shoved, ALL_IN)


def test_what_cannot_be_called_goes_back() -> None:
    hand = played(played(opened(BETTER_FIRST, 0, (100, 30)), ALL_IN), CALL)
    assert (hand.street, hand.pot) == (SHOWDOWN, 60)
    assert stacks_after(hand) == (130, 0)
    loser = played(played(opened(BETTER_FIRST, 1, (30, 100)), ALL_IN), CALL)
    assert stacks_after(loser) == (60, 70)


def test_equal_hands_share() -> None:
    hand = played(played(opened(EQUAL, 0, (50, 50)), ALL_IN), CALL)
    assert won(hand) == (50, 50)


def test_a_fold_gives_the_pot_away() -> None:
    hand = played(opened(BETTER_FIRST, 0, (100, 100)), FOLD)
    assert hand.over and stacks_after(hand) == (98, 102)


def test_a_blind_that_takes_the_whole_stack_is_all_in() -> None:
    hand = opened(BETTER_FIRST, 0, (1, 199))
    assert hand.over and hand.street == SHOWDOWN
    assert stacks_after(hand) == (2, 198)


def test_checks_lead_to_the_showdown() -> None:
    hand = played(opened(BETTER_FIRST, 0, (100, 100)), CALL)
    for street in (PREFLOP, FLOP, TURN):
        assert hand.street == street
        hand = played(hand, CHECK)
        if street != PREFLOP:
            hand = played(hand, CHECK)
    hand = played(played(hand, CHECK), CHECK)
    assert hand.over and stacks_after(hand) == (104, 96)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999))
def test_no_chip_is_made_or_lost_and_every_match_ends(seed: int) -> None:
    state, draw = RULES.reset(seed), Draws(seed)
    while not RULES.over(state):
        (seat,) = RULES.to_act(state)
        hand = state.hand
        assert sum(hand.stacks) + hand.pot == 2 * STACK and min(hand.stacks) >= 0
        actions = RULES.legal(state, seat)
        state = RULES.step(state, actions[draw(len(actions))], seat)
    assert RULES.score(state, 0) == -RULES.score(state, 1)
    assert sum(RULES.outcome(state)) == 1.0 and state.number < HANDS


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999), st.integers(0, 12))
def test_nobody_sees_the_others_cards(seed: int, steps: int) -> None:
    state, draw = RULES.reset(seed), Draws(seed)
    for _ in range(steps):
        if RULES.over(state):
            return
        (mover,) = RULES.to_act(state)
        actions = [action for action in RULES.legal(state, mover) if action != ALL_IN]
        state = RULES.step(state, actions[draw(len(actions))], mover)
    if RULES.over(state):
        return
    for seat in (0, 1):
        used = {*state.hand.deal.board, *state.hand.deal.holes[seat]}
        free = [card for card in DECK if card not in used]
        other = (free[draw(len(free))], free[0])
        holes = [state.hand.deal.holes[0], state.hand.deal.holes[1]]
        holes[1 - seat] = other
        swapped = replace(state.hand.deal, holes=(holes[0], holes[1]))
        changed = replace(state, hand=replace(state.hand, deal=swapped))
        assert RULES.text(changed, seat) == RULES.text(state, seat)
        assert (RULES.picture(changed, seat) == RULES.picture(state, seat)).all()


def test_the_search_wins_against_random_play() -> None:
    choose = find_chooser("holdem-v1")
    gained = 0.0
    for seed in range(6):
        for own in (0, 1):
            state, draw = RULES.reset(seed), Draws(seed)
            while not RULES.over(state):
                (seat,) = RULES.to_act(state)
                actions = RULES.legal(state, seat)
                action = (
                    choose(RULES, state, seat, actions, draw)
                    if seat == own
                    else actions[draw(len(actions))]
                )
                state = RULES.step(state, action, seat)
            gained += RULES.score(state, own)
    assert gained > 0


def test_a_hand_knows_its_pot() -> None:
    hand: Hand = opened(BETTER_FIRST, 0, (100, 100))
    assert hand.pot + sum(hand.stacks) == 200
