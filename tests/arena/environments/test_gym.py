"""Gymnasium's own check on every game, and what this face adds to the rules."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from tests.arena.games.walks import SINGLE
from tests.arena.toys import Counting

from goodput.arena.environments import register_all
from goodput.arena.environments.gym import GameEnv
from goodput.arena.games.registry import make_game
from goodput.core.errors import UsageError

every_single = pytest.mark.parametrize("name", SINGLE)


@every_single
def test_gymnasium_finds_no_fault(name: str) -> None:
    """Its warnings are errors here, and it renders too."""
    register_all()
    environment = gymnasium.make(f"Goodput/{name}", render_mode="rgb_array")
    check_env(environment.unwrapped)


@every_single
def test_what_is_shown_lies_in_the_space(name: str) -> None:
    environment = GameEnv(name)
    environment.action_space.seed(1)
    shown, info = environment.reset(seed=1)
    for _ in range(25):
        assert shown in environment.observation_space
        assert np.array_equal(shown["action_mask"], info["action_mask"])
        action = environment.action_space.sample(info["action_mask"])
        shown, _, over, truncated, info = environment.step(action)
        assert not info["illegal"]
        if over or truncated:
            break


def test_all_of_one_seat_are_registered_once() -> None:
    register_all()
    register_all()
    ours = {name for name in gymnasium.registry if name.startswith("Goodput/")}
    assert ours == {f"Goodput/{name}" for name in SINGLE}


def test_options_pass_through_gymnasium() -> None:
    register_all()
    environment = gymnasium.make("Goodput/tetris-v1", frame_skip=9)
    environment.reset(seed=1)
    assert environment.step(np.int64(0))[4]["frame"] == 9


def test_a_seed_is_the_games_own() -> None:
    rules = make_game("2048-v1")
    shown, info = GameEnv("2048-v1").reset(seed=12)
    assert shown["text"] == rules.text(rules.reset(12)) and info["seed"] == 12
    assert np.array_equal(shown["picture"], rules.picture(rules.reset(12)))


def test_without_a_seed_each_episode_is_another_in_an_order_that_the_first_one_set() -> None:
    environment = GameEnv("2048-v1")

    def seeds() -> list[int]:
        first = environment.reset(seed=3)[1]["seed"]
        return [first, *(environment.reset()[1]["seed"] for _ in range(3))]

    once = seeds()
    assert once == seeds() and len(set(once)) == 4


def test_rewards_add_up_to_the_score() -> None:
    environment = GameEnv("2048-v1")
    environment.action_space.seed(0)
    _, info = environment.reset(seed=2)
    total, over = 0.0, False
    while not over:
        action = environment.action_space.sample(info["action_mask"])
        _, reward, over, truncated, info = environment.step(action)
        total += float(reward)
        assert not truncated
    assert total == info["score"] > 0 and info["action_mask"].sum() == 0


def test_limits_cut_an_episode_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def counting(name: str) -> Any:
        return Counting(realtime=False, step_limit=2)

    monkeypatch.setattr("goodput.arena.environments.gym.make_game", counting)
    environment = GameEnv("counting")
    environment.reset(seed=0)
    assert environment.step(np.int64(1))[1:4] == (1, False, False)
    assert environment.step(np.int64(2))[1:4] == (2, False, True)


def test_an_illegal_action_is_told() -> None:
    environment = GameEnv("tetris-v1")
    _, info = environment.reset(seed=3)
    wrong = np.int64(len(info["action_mask"]))
    _, reward, over, truncated, info = environment.step(wrong)
    assert info["illegal"] and (reward, over, truncated) == (0, False, False)
    assert info["frame"] == 4


def test_it_renders_what_is_observed_when_asked_to() -> None:
    environment = GameEnv("match3-v1", render_mode="rgb_array")
    shown, _ = environment.reset(seed=1)
    assert np.array_equal(np.asarray(environment.render()), shown["picture"])
    silent = GameEnv("match3-v1")
    silent.reset(seed=1)
    assert silent.render() is None


@pytest.mark.parametrize(
    ("name", "frame_skip", "words"),
    [("holdem-v1", 4, "PettingZoo"), ("tetris-v1", 0, "frame_skip"), ("chess", 4, "no game")],
)
def test_what_cannot_be_is_refused_in_a_sentence(name: str, frame_skip: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        GameEnv(name, frame_skip=frame_skip)
