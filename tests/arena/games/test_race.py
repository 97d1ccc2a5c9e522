"""Races: two lone games side by side, told apart by points alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from goodput.arena.games.g2048 import DOWN, LEFT, RIGHT, UP, Game2048, Tiles
from goodput.arena.games.holdem.match import Holdem
from goodput.arena.games.race import Pair, Race
from goodput.arena.games.rules import IllegalAction
from goodput.arena.games.tetris.single import tetris

RACE = Race(Game2048())
STUCK = Tiles(((1, 2, 1, 2), (2, 1, 2, 1), (1, 2, 1, 2), (2, 1, 2, 1)), seed=0)
"""No move changes it: its side is done."""
OPEN = Tiles(((1, 1, 0, 0),) + ((0, 0, 0, 0),) * 3, seed=0)


def done(first: int, second: int) -> Pair:
    """A race that is over, with these points."""
    return Pair((replace(STUCK, score=first), replace(STUCK, score=second)))


def test_both_begin_with_the_same_seed() -> None:
    first, second = RACE.reset(9).sides
    assert first == second == Game2048().reset(9)
    assert RACE.to_act(RACE.reset(9)) == (0, 1)


def test_its_spec_is_the_games_but_for_two() -> None:
    alone = Game2048.spec
    assert (RACE.spec.id, RACE.spec.seats) == ("race-2048-v1", 2)
    assert (RACE.spec.actions, RACE.spec.step_limit) == (alone.actions, alone.step_limit)
    assert RACE.spec.rules_text.startswith(alone.rules_text)
    assert "more points win" in RACE.spec.rules_text


def test_a_game_of_two_is_no_race() -> None:
    with pytest.raises(ValueError, match="holdem-v1 has 2 seats"):
        Race(Holdem())


@pytest.mark.parametrize("seat", [0, 1])
def test_a_step_is_one_sides_alone(seat: int) -> None:
    before = Pair((OPEN, OPEN))
    after = RACE.step(before, LEFT, seat)
    assert after.sides[seat] == Game2048().step(OPEN, LEFT)
    assert after.sides[1 - seat] is OPEN
    assert RACE.score(after, seat) == 4 and RACE.score(after, 1 - seat) == 0
    assert before == Pair((OPEN, OPEN))


def test_frames_pass_on_both_sides() -> None:
    race = Race(tetris())
    alone, state = tetris().reset(3), race.reset(3)
    for _ in range(70):
        alone, state = tetris().frame(alone), race.frame(state)
    assert state.sides == (alone, alone) != race.reset(3).sides


def test_a_frame_in_which_nothing_happens_keeps_the_state() -> None:
    state = RACE.reset(1)
    assert RACE.frame(state) is state


def test_a_side_that_is_done_waits_for_the_other() -> None:
    state = Pair((STUCK, OPEN))
    assert RACE.to_act(state) == (1,) and not RACE.over(state) and RACE.outcome(state) == ()
    assert RACE.legal(state, 0) == [] and RACE.legal(state, 1) == [DOWN, LEFT, RIGHT]
    with pytest.raises(IllegalAction):
        RACE.step(state, LEFT, 0)
    assert RACE.step(state, LEFT, 1).sides[0] is STUCK


@pytest.mark.parametrize(
    ("points", "outcome"), [((8, 4), (1, 0)), ((4, 8), (0, 1)), ((4, 4), (0.5, 0.5))]
)
def test_more_points_win(points: tuple[int, int], outcome: tuple[float, float]) -> None:
    state = done(*points)
    assert RACE.over(state) and RACE.to_act(state) == ()
    assert RACE.outcome(state) == outcome
    for seat in (0, 1):
        with pytest.raises(IllegalAction, match="over"):
            RACE.step(state, UP, seat)


def test_each_sees_its_own_board_and_the_others_points() -> None:
    state = Pair((replace(STUCK, score=12), replace(OPEN, score=1_234_567)))
    first, second = (RACE.text(state, seat) for seat in (0, 1))
    assert first == f"{Game2048().text(state.sides[0])}\nopponent: 1234567"
    assert second == f"{Game2048().text(state.sides[1])}\nopponent: 12 (done)"
    own = Game2048().picture(state.sides[0])
    picture = RACE.picture(state, 0)
    assert np.array_equal(picture[: len(own)], own)
    other = RACE.picture(Pair((state.sides[0], replace(OPEN, score=1_234_568))), 0)
    assert picture.shape == other.shape and (picture != other).any()


def test_which_side_is_which_is_in_the_digest() -> None:
    assert RACE.digest(done(4, 8)) == RACE.digest(done(4, 8)) != RACE.digest(done(8, 4))


@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3))))
def test_each_side_is_a_game_alone(seed: int, moves: list[tuple[int, int]]) -> None:
    game, state = Game2048(), RACE.reset(seed)
    alone: list[Any] = [game.reset(seed), game.reset(seed)]
    for seat, choice in moves:
        legal = RACE.legal(state, seat)
        assert legal == game.legal(alone[seat])
        if not legal:
            continue
        action = legal[choice % len(legal)]
        state, alone[seat] = RACE.step(state, action, seat), game.step(alone[seat], action)
    assert list(state.sides) == alone
