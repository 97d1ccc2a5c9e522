"""What holds for every game of Tetris, whatever is played; and what players see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.arena.games.wells import well

from goodput.arena.games.rules import IllegalAction, Rules
from goodput.arena.games.tetris.single import placement_tetris, tetris
from goodput.arena.games.tetris.versus import Duel, versus_placement_tetris, versus_tetris
from goodput.arena.games.tetris.well import Well, fresh

Play = list[tuple[int, int, int]]
"""Seat, choice among the legal actions, frames after it."""

GAMES: list[Callable[[], Rules[Any]]] = [
    tetris,
    placement_tetris,
    versus_tetris,
    versus_placement_tetris,
]
each_game = pytest.mark.parametrize("make", GAMES, ids=lambda make: make().spec.id)
plays = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 50), st.integers(0, 40)), max_size=50)


def states(rules: Rules[Any], seed: int, play: Play) -> list[Any]:
    """All states of a play; it stops where the game ends."""
    passed = [rules.reset(seed)]
    for chosen, choice, frames in play:
        seat = chosen % rules.spec.seats
        legal = rules.legal(passed[-1], seat)
        if not legal:
            break
        passed.append(rules.step(passed[-1], legal[choice % len(legal)], seat))
        for _ in range(frames):
            passed.append(rules.frame(passed[-1]))
    return passed


def wells_of(state: Any) -> tuple[Well, ...]:
    return state.wells if isinstance(state, Duel) else (state,)


@each_game
@settings(max_examples=40)
@given(seed=st.integers(0, 2**64), play=plays)
def test_the_same_seed_and_actions_give_the_same_states(
    make: Callable[[], Rules[Any]], seed: int, play: Play
) -> None:
    rules = make()
    first, second = states(rules, seed, play), states(make(), seed, play)
    assert first == second
    assert list(map(hash, first)) == list(map(hash, second))
    assert rules.digest(first[-1]) == rules.digest(second[-1])


@each_game
@settings(max_examples=40)
@given(seed=st.integers(0, 2**64), play=plays)
def test_steps_leave_the_state_alone_and_tell_legal_from_illegal(
    make: Callable[[], Rules[Any]], seed: int, play: Play
) -> None:
    rules = make()
    for state in states(rules, seed, play)[-3:]:
        for seat in range(rules.spec.seats):
            legal = rules.legal(state, seat)
            assert legal == sorted(set(legal))
            assert bool(legal) == (seat in rules.to_act(state)) == (not rules.over(state))
            before = rules.digest(state)
            for action in range(-1, len(rules.spec.actions) + 1):
                if action in legal:
                    after = rules.step(state, action, seat)
                    assert (rules.digest(after) != before) == (after != state)
                else:
                    with pytest.raises(IllegalAction):
                        rules.step(state, action, seat)
            rules.frame(state)
            assert rules.digest(state) == before


@each_game
@settings(max_examples=40)
@given(seed=st.integers(0, 2**64), play=plays)
def test_cells_come_from_pieces_and_garbage_and_go_by_rows(
    make: Callable[[], Rules[Any]], seed: int, play: Play
) -> None:
    rules = make()
    for state in states(rules, seed, play):
        for side in wells_of(state):
            laid = side.cells.bit_count() - 4 * side.pieces + 10 * side.lines
            assert laid % 9 == 0 and laid >= 0
            assert rules.spec.seats == 2 or laid == 0
            assert side.out or not side.cells & side.shape << side.at


@each_game
def test_a_digest_names_every_field(make: Callable[[], Rules[Any]]) -> None:
    rules = make()
    state = rules.reset(1)
    side = wells_of(state)[0]
    for field in side.__struct_fields__:
        value = getattr(side, field)
        changed: Any = (
            2 if value is None else (*value, 1) if isinstance(value, tuple) else value + 1
        )
        other = replace(side, **{field: changed})
        new = Duel((other, other), state.frames) if isinstance(state, Duel) else other
        assert rules.digest(new) != rules.digest(state), field


def test_what_a_player_reads() -> None:
    state = replace(
        well(["####.#####", "###..#####"], "T", row=17, column=3, turn=2),
        queue=(0, 1, 2, 3, 4, 5),
        held=6,
        may_hold=False,
        score=1200,
    )
    lines = tetris().text(state).splitlines()
    assert lines[0] == "piece T  next I J L O S  hold Z (used)  level 1  score 1200  lines 0"
    assert lines[1] == "22 |..........|"
    assert lines[4] == "19 |...@@@....|"
    assert lines[5] == "18 |....@.....|"
    assert lines[-4] == " 3 |...+++....|"
    assert lines[-3] == " 2 |####+#####|"
    assert lines[-2] == " 1 |###..#####|"
    assert lines[-1] == "    1234567890 "


@each_game
@settings(max_examples=40)
@given(seed=st.integers(0, 2**64), play=plays)
def test_pictures_tell_what_the_text_tells(
    make: Callable[[], Rules[Any]], seed: int, play: Play
) -> None:
    rules = make()
    passed = states(rules, seed, play)
    before, after = passed[0], passed[-1]
    for seat in range(rules.spec.seats):
        pictures = [rules.picture(state, seat) for state in (before, after)]
        assert all(max(picture.shape[:2]) <= 400 for picture in pictures)
        same_text = rules.text(before, seat) == rules.text(after, seat)
        assert (pictures[0] == pictures[1]).all() == same_text


def test_a_fresh_well_has_no_stack() -> None:
    assert fresh(0).cells == 0
