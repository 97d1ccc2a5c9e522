"""Tic-tac-toe and Connect Four on positions made by hand, and their searches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.arena.games.connect_four import COLUMNS, ROWS, ConnectFour, Discs, has_four
from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import IllegalAction, Rules
from goodput.arena.games.tictactoe import LINES, Marks, TicTacToe
from goodput.arena.players.program import Draws
from goodput.arena.players.search import find_chooser

TTT, FOUR = TicTacToe(), ConnectFour()


def cells(*names: str) -> int:
    """Bits of cells like "a1"."""
    return sum(1 << ("abc".index(name[0]) + 3 * (int(name[1]) - 1)) for name in names)


def discs(*places: str) -> int:
    """Bits of discs like "3.1": column 3 from the left, row 1 from below."""
    return sum(
        1 << ((ROWS + 1) * (int(column) - 1) + int(row) - 1)
        for column, row in (place.split(".") for place in places)
    )


@pytest.mark.parametrize("line", LINES)
def test_each_of_eight_lines_wins(line: int) -> None:
    own = Marks(line, 0)
    assert TTT.over(own) and TTT.outcome(own) == (1.0, 0.0)
    other = Marks(0, line)
    assert TTT.outcome(other) == (0.0, 1.0) and TTT.to_act(other) == ()


def test_a_full_board_without_a_line_is_a_draw() -> None:
    # x o x / x o o / o x x
    state = Marks(cells("a1", "c1", "a2", "b3", "c3"), cells("b1", "b2", "c2", "a3"))
    assert TTT.over(state) and TTT.outcome(state) == (0.5, 0.5)


def test_turns_change_and_a_taken_cell_is_no_move() -> None:
    state = TTT.reset(0)
    (first,) = TTT.to_act(state)
    action = TTT.legal(state, first)[0]
    after = TTT.step(state, action, first)
    assert TTT.to_act(after) == (1 - first,) and TTT.legal(after, first) == []
    with pytest.raises(IllegalAction):
        TTT.step(after, action, 1 - first)
    with pytest.raises(IllegalAction):
        TTT.step(after, TTT.legal(after, 1 - first)[0], first)


@pytest.mark.parametrize(
    "places",
    [
        ("1.1", "2.1", "3.1", "4.1"),
        ("7.3", "7.4", "7.5", "7.6"),
        ("1.1", "2.2", "3.3", "4.4"),
        ("4.4", "5.3", "6.2", "7.1"),
    ],
)
def test_four_in_every_direction_wins(places: tuple[str, ...]) -> None:
    assert has_four(discs(*places))
    assert not has_four(discs(*places[:3]))


@pytest.mark.parametrize(
    "places", [("1.4", "1.5", "1.6", "2.1"), ("7.1", "1.2", "2.2", "3.2"), ("6.6", "7.6", "1.1")]
)
def test_no_line_goes_around_the_edge(places: tuple[str, ...]) -> None:
    assert not has_four(discs(*places))


def test_a_full_column_takes_no_more() -> None:
    state = FOUR.reset(0)
    column = 3
    while column in FOUR.legal(state, FOUR.to_act(state)[0]):
        state = FOUR.step(state, column, FOUR.to_act(state)[0])
        if FOUR.over(state):
            pytest.skip("this seed's opening makes four there")
    with pytest.raises(IllegalAction, match="full"):
        FOUR.step(state, column, FOUR.to_act(state)[0])


def one_of(rules: Rules[Any], state: Any) -> int:
    (seat,) = rules.to_act(state)
    choose = find_chooser(rules.spec.id)
    return choose(rules, state, seat, rules.legal(state, seat), lambda bound: 0)


def test_the_search_takes_a_win_and_blocks_one() -> None:
    three, other = discs("2.1", "3.1", "4.1"), discs("2.2", "3.2", "7.1")
    to_win = Discs(three, other)
    seat = FOUR.to_act(to_win)[0]
    mine = to_win if seat == 0 else Discs(other, three)
    assert one_of(FOUR, mine) in (0, 4)
    # The other side threatens on the right end only: a wall is on the left.
    threat, own = discs("1.1", "2.1", "3.1"), discs("1.2", "2.2", "6.1")
    to_block = Discs(own, threat) if seat == 0 else Discs(threat, own)
    assert one_of(FOUR, to_block) == 3


def never_loses(rules: Rules[Any], state: Any, seat: int) -> bool:
    """Whether the search does not lose, whatever the other side replies."""
    if rules.over(state):
        return rules.outcome(state)[seat] >= 0.5
    (mover,) = rules.to_act(state)
    if mover == seat:
        return never_loses(rules, rules.step(state, one_of(rules, state), seat), seat)
    replies = rules.legal(state, mover)
    return all(never_loses(rules, rules.step(state, reply, mover), seat) for reply in replies)


@pytest.mark.parametrize("seat", [0, 1])
def test_the_search_never_loses_at_tic_tac_toe(seat: int) -> None:
    assert never_loses(TTT, Marks(0, 0), seat)


@pytest.mark.parametrize("seat", [0, 1])
def test_the_search_beats_random_play_at_connect_four(seat: int) -> None:
    choose = find_chooser("connect-four-v1")
    for seed in range(3):
        state, draw = FOUR.reset(seed), Draws(seed)
        while not FOUR.over(state):
            (mover,) = FOUR.to_act(state)
            legal = FOUR.legal(state, mover)
            action = (
                choose(FOUR, state, mover, legal, draw)
                if mover == seat
                else legal[draw(len(legal))]
            )
            state = FOUR.step(state, action, mover)
        assert FOUR.outcome(state)[seat] == 1.0


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["tictactoe-v1", "connect-four-v1"]), st.integers(0, 9999))
def test_every_game_ends_and_its_points_add_up(name: str, seed: int) -> None:
    rules, draw = make_game(name), Draws(seed)
    state, steps = rules.reset(seed), 0
    while not rules.over(state):
        (seat,) = rules.to_act(state)
        legal = rules.legal(state, seat)
        assert legal
        before = rules.digest(state)
        after = rules.step(state, legal[draw(len(legal))], seat)
        assert rules.digest(state) == before != rules.digest(after)
        state, steps = after, steps + 1
    assert steps <= COLUMNS * ROWS and sum(rules.outcome(state)) == 1.0
