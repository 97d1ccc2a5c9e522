"""PettingZoo's own tests on every game of two seats, and what these faces add to the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test
from pettingzoo.utils.wrappers import TerminateIllegalWrapper
from tests.arena.games.walks import RACES, SINGLE

from goodput.arena.environments.zoo import SimultaneousGame, TurnGame, takes_turns
from goodput.arena.games.registry import GAMES, make_game
from goodput.arena.games.rules import IllegalAction
from goodput.core.errors import UsageError

PAIRS = [name for name in GAMES if name not in SINGLE]
TURNS = [name for name in PAIRS if takes_turns(make_game(name))]
AT_ONCE = [*(name for name in PAIRS if name not in TURNS), *RACES]


@pytest.mark.filterwarnings(
    "ignore:Observation is not a NumPy array",
    "ignore:Observation space for each agent probably should be",
)
@pytest.mark.parametrize("name", TURNS)
def test_pettingzoo_finds_no_fault_with_turns(name: str) -> None:
    """It wonders, by warnings, at observations that have more than an array."""
    api_test(TurnGame(name), num_cycles=40)
    seed_test(lambda: TurnGame(name), num_cycles=10)


@pytest.mark.parametrize("name", AT_ONCE)
def test_pettingzoo_finds_no_fault_with_both_at_once(name: str) -> None:
    parallel_api_test(SimultaneousGame(name), num_cycles=20)
    parallel_seed_test(lambda: SimultaneousGame(name), num_cycles=8)


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_is_shown_lies_in_the_space(name: str) -> None:
    environment = SimultaneousGame(name)
    shown, infos = environment.reset(seed=1)
    for number in range(12):
        actions = {}
        for agent in environment.agents:
            assert shown[agent] in environment.observation_space(agent)
            space, mask = environment.action_space(agent), infos[agent]["action_mask"]
            space.seed(number)
            actions[agent] = space.sample(mask)
        shown, _, _, _, infos = environment.step(actions)
        assert not any(info["illegal"] for info in infos.values())


def played(environment: TurnGame, *words: str) -> TurnGame:
    """After these moves of tic-tac-toe, by whoever's turn it is."""
    names = make_game("tictactoe-v1").spec.actions
    for word in words:
        environment.step(names.index(word))
    return environment


def corner() -> TurnGame:
    """Tic-tac-toe with the first X laid at a1, player_1 to move."""
    rules = make_game("tictactoe-v1")
    seed = next(seed for seed in range(99) if 0 not in rules.legal(rules.reset(seed), 1))
    environment = TurnGame("tictactoe-v1")
    environment.reset(seed=seed)
    return environment


def test_turns_go_round_until_one_has_won() -> None:
    environment = corner()
    selected = []
    for word in ("b1", "a2", "b2", "a3"):
        selected.append(environment.agent_selection)
        played(environment, word)
    assert selected == ["player_1", "player_0"] * 2
    assert environment.rewards == {"player_0": 1, "player_1": 0}
    assert environment.terminations == {"player_0": True, "player_1": True}
    assert environment.truncations == {"player_0": False, "player_1": False}
    assert environment.infos["player_0"]["outcome"] == 1
    assert environment.infos["player_1"]["outcome"] == 0


def test_both_hear_of_the_end_and_leave() -> None:
    environment = played(corner(), "b1", "a2", "b2", "a3")
    heard = {}
    for agent in environment.agent_iter():
        heard[agent] = environment.last()[1]
        environment.step(None)
    assert heard == {"player_0": 1, "player_1": 0} and environment.agents == []


def test_what_each_agent_hears_adds_up_to_its_score() -> None:
    """In a match that player_1 loses by folding whatever it is asked to pay."""
    environment = TurnGame("holdem-v1")
    environment.reset(seed=4)
    heard = {"player_0": 0.0, "player_1": 0.0}
    scores: dict[str, float] = {}
    for agent in environment.agent_iter():
        _, reward, over, _, info = environment.last()
        heard[agent] += reward
        scores[agent] = info["score"]
        legal = np.flatnonzero(info["action_mask"])
        environment.step(None if over else legal[int(agent == "player_0")])
    assert heard == scores and scores["player_0"] > 0


@pytest.mark.parametrize("action", [0, 99, None])
def test_an_illegal_turn_raises_and_changes_nothing(action: int | None) -> None:
    environment = corner()
    before = environment.observe("player_1")["text"]
    with pytest.raises(IllegalAction, match="player_1"):
        environment.step(action)
    assert environment.observe("player_1")["text"] == before
    assert environment.agent_selection == "player_1"


@pytest.mark.filterwarnings("ignore")
def test_pettingzoos_wrapper_makes_it_a_lost_game() -> None:
    environment = TerminateIllegalWrapper(corner(), illegal_reward=-1)
    environment.step(0)
    assert all(environment.terminations.values())
    assert environment.rewards == {"player_0": 0, "player_1": -1}


def test_a_seat_of_a_race_that_is_done_leaves_before_the_other() -> None:
    environment = SimultaneousGame("race-match3-v1")
    shown, _ = environment.reset(seed=1)
    infos: dict[str, Any] = {}
    for _ in range(50):
        mask = shown["player_0"]["action_mask"]
        shown, _, over, cut, infos = environment.step({"player_0": int(mask.argmax())})
    assert over == {"player_0": True, "player_1": False} and not any(cut.values())
    assert environment.agents == ["player_1"] and "outcome" not in infos["player_1"]
    while environment.agents:
        mask = shown["player_1"]["action_mask"]
        shown, rewards, over, _, infos = environment.step({"player_1": int(mask.argmax())})
        assert shown.keys() == rewards.keys() == over.keys() == infos.keys() == {"player_1"}
    assert over == {"player_1": True} and infos["player_1"]["outcome"] == 0.5


def test_frames_pass_for_both_at_once() -> None:
    environment = SimultaneousGame("tetris-versus-v1", frame_skip=6)
    environment.reset(seed=1)
    infos = environment.step({"player_0": 0, "player_1": 99})[4]
    assert [infos[agent]["frame"] for agent in environment.agents] == [6, 6]
    assert [infos[agent]["illegal"] for agent in environment.agents] == [False, True]


def test_a_seed_is_the_games_own_and_orders_those_after_it() -> None:
    rules = make_game("holdem-v1")
    environment = TurnGame("holdem-v1")

    def seeds() -> list[int]:
        found = []
        for seed in (4, None, None):
            environment.reset(seed=seed)
            found.append(environment.infos["player_0"]["seed"])
        return found

    first = seeds()
    assert first[0] == 4 and len(set(first)) == 3 and first == seeds()
    environment.reset(seed=4)
    for seat, agent in enumerate(environment.agents):
        assert environment.observe(agent)["text"] == rules.text(rules.reset(4), seat)


def test_it_renders_both_views_when_asked_to() -> None:
    environment = TurnGame("connect-four-v1", render_mode="rgb_array")
    environment.reset(seed=1)
    views = [environment.observe(agent)["observation"] for agent in environment.agents]
    assert np.array_equal(np.asarray(environment.render()), np.concatenate(views, axis=1))
    silent = TurnGame("connect-four-v1")
    silent.reset(seed=1)
    assert silent.render() is None


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (TurnGame, "2048-v1", "one seat"),
        (TurnGame, "tetris-versus-v1", "SimultaneousGame"),
        (SimultaneousGame, "holdem-v1", "TurnGame"),
        (SimultaneousGame, "2048-v1", "race-2048-v1"),
        (SimultaneousGame, "chess", "no game"),
    ],
)
def test_the_wrong_face_is_refused_in_a_sentence(make: Any, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make(name)
