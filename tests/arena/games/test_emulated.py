"""Emulated games as pure state machines, on a console made for the test and on the real ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.arena.games.emulated.console import Seen
from goodput.arena.games.emulated.game import EmulatedGame, Moment
from goodput.arena.games.emulated.screen import shades
from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import IllegalAction, Picture, Spec
from goodput.core.errors import UsageError


class Adder:
    """Its memory is a number: each frame adds what is held. Over at 20."""

    actions = ("none", "one", "two")

    def __init__(self) -> None:
        self.number = 0
        self.frames_run = 0

    def reset(self, seed: int) -> Seen:
        self.number = seed
        return self._seen()

    def advance(self, action: int) -> Seen:
        self.number += action
        self.frames_run += 1
        return self._seen()

    def picture(self) -> Picture:
        return np.full((2, 2, 3), self.number, np.uint8)

    def _seen(self) -> Seen:
        return Seen(float(self.number), self.number >= 20, f"{self.number}", f"{self.number:x}")


def game() -> tuple[EmulatedGame, Adder]:
    console = Adder()
    spec = Spec(
        id="adder-v1",
        title="Adder",
        actions=console.actions,
        realtime=True,
        idle=0,
        frame_limit=100,
        step_limit=100,
        rules_text="Hold a number.",
    )
    return EmulatedGame(console, spec), console


def frames(rules: EmulatedGame, state: Moment, count: int) -> Moment:
    for _ in range(count):
        state = rules.frame(state)
    return state


def test_what_is_held_counts_from_the_next_frame_on() -> None:
    rules, _ = game()
    state = rules.step(rules.reset(3), 2)
    assert rules.score(state) == 3
    assert rules.score(frames(rules, state, 4)) == 11


def test_going_forwards_runs_each_frame_once() -> None:
    rules, console = game()
    state = rules.step(frames(rules, rules.step(rules.reset(0), 1), 5), 2)
    frames(rules, state, 5)
    assert console.frames_run == 10


def test_an_old_state_can_be_looked_at_and_gone_on_from() -> None:
    rules, _ = game()
    early = frames(rules, rules.step(rules.reset(0), 1), 3)
    late = frames(rules, rules.step(early, 2), 4)
    assert rules.picture(late)[0, 0, 0] == 11
    assert rules.picture(early)[0, 0, 0] == 3
    other = frames(rules, early, 2)
    assert (rules.score(other), rules.score(late)) == (5, 11)


@given(st.integers(0, 9), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=8))
def test_the_same_inputs_give_equal_states(seed: int, inputs: list[tuple[int, int]]) -> None:
    ends = []
    for _ in range(2):
        rules, _ = game()
        state = rules.reset(seed)
        for action, count in inputs:
            if not rules.over(state):
                state = frames(rules, rules.step(state, action), count)
        ends.append((state, rules.digest(state)))
    assert ends[0] == ends[1] and hash(ends[0][0]) == hash(ends[1][0])


def test_the_end_is_final() -> None:
    rules, _ = game()
    state = frames(rules, rules.step(rules.reset(18), 2), 5)
    assert rules.over(state) and rules.score(state) == 20
    assert rules.legal(state) == [] and rules.to_act(state) == ()
    with pytest.raises(IllegalAction):
        rules.step(state, 0)


def test_a_screen_in_characters_keeps_small_bright_things() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[13, 27] = (255, 0, 0)
    assert shades(picture, 4, 4).split("\n") == ["", "  @", "", ""]


@pytest.mark.parametrize("rom", ["tetris", "mario_bros", "breakout"])
def test_an_atari_game_is_deterministic_and_can_be_gone_back_in(rom: str) -> None:
    pytest.importorskip("ale_py")
    rules = make_game(f"atari-{rom}")
    assert rules.spec.id == f"atari-{rom}-v1" and rules.spec.actions[0] == "noop"
    start = rules.reset(1)
    there = frames(rules, rules.step(start, len(rules.spec.actions) - 1), 60)  # type: ignore[arg-type]
    picture, text = rules.picture(there), rules.text(there)
    assert max(picture.shape) <= 400 and "lives" in text
    assert not np.array_equal(rules.picture(start), picture)
    again = make_game(f"atari-{rom}")
    same = frames(again, again.step(again.reset(1), len(rules.spec.actions) - 1), 60)  # type: ignore[arg-type]
    assert again.digest(same) == rules.digest(there)
    assert np.array_equal(rules.picture(there), picture)


def test_an_unknown_rom_is_refused_in_a_sentence() -> None:
    pytest.importorskip("ale_py")
    with pytest.raises(UsageError, match="no Atari game 'nonsense'"):
        make_game("atari-nonsense")


def test_mario_walks_to_the_right_and_the_map_shows_him() -> None:
    pytest.importorskip("gym_super_mario_bros")
    rules = make_game("mario")
    state = rules.reset(0)
    before = rules.score(state)
    state = frames(rules, rules.step(state, rules.spec.actions.index("right")), 60)  # type: ignore[arg-type]
    assert rules.score(state) > before + 20
    text = rules.text(state)
    assert "world 1-1" in text and text.count("M") == 1 and "#" in text
    assert rules.picture(state).shape == (240, 256, 3)
