"""A record plays again bit for bit, and whatever was changed in it is found."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.arena.toys import Counting, Scripted, after

from goodput.arena.clocks import make_clock
from goodput.arena.episode.record import Episode
from goodput.arena.episode.replay import find_difference, scenes
from goodput.arena.episode.runner import play_episode
from goodput.arena.games.registry import make_game
from goodput.arena.players.base import Decision, Observation
from goodput.core.errors import UsageError

GAMES = ["tetris-v1", "2048-v1", "tetris-versus-v1", "connect-four-v1", "race-2048-v1"]


def thinking(seconds: list[float]) -> Scripted:
    """Takes any legal action after such times, in turn."""

    def answer(observation: Observation) -> Decision:
        number = observation.turn
        action = observation.legal[(number * 7) % len(observation.legal)]
        return after(seconds[number % len(seconds)], action, calls=1, output_tokens=number % 5)

    return Scripted(answer)


def played(game: str, seed: int, seconds: list[float], clock: str) -> tuple[Any, Episode]:
    rules = make_game(game)
    rules.spec = msgspec.structs.replace(rules.spec, step_limit=20)  # type: ignore[misc]
    players = [thinking(seconds) for _ in range(rules.spec.seats)]
    fixed = {"ttft_s": 0.05, "tokens_per_s": 40.0} if clock == "tokens" else {}
    return rules, asyncio.run(play_episode(rules, players, seed, make_clock(clock, **fixed)))


@pytest.mark.parametrize("game", GAMES)
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 9999),
    seconds=st.lists(st.floats(0, 0.6), min_size=1, max_size=4),
    clock=st.sampled_from(["paused", "virtual", "tokens"]),
)
def test_what_was_played_plays_again(
    game: str, seed: int, seconds: list[float], clock: str
) -> None:
    rules, episode = played(game, seed, seconds, clock)
    assert episode.moves
    again = msgspec.json.decode(msgspec.json.encode(episode), type=Episode)
    assert find_difference(make_game(game), again) is None
    *_, last = scenes(rules, again)
    assert rules.digest(last.state) == episode.end.digest


def test_a_record_of_real_time_plays_again() -> None:
    rules = Counting(end=30)
    player = Scripted(after(0.0), after(0.0, 2))
    episode = asyncio.run(play_episode(rules, [player], 0, make_clock("wall")))
    assert find_difference(rules, episode) is None


CHANGES = {
    "another action": ({"action": 0}, "the state is"),
    "another digest": ({"digest": "0" * 16}, "the state is"),
    "another frame": ({"frame": 19}, "by its cost"),
    "another latency": ({"latency_s": 0.3}, "by its cost"),
    "an illegal action": ({"action": 3}, "do not allow"),
    "another seat": ({"seat": 1}, "do not allow"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_move_is_found_and_named(name: str) -> None:
    changed, words = CHANGES[name]
    rules = Counting()
    episode = asyncio.run(play_episode(rules, [Scripted(after(0.1))], 0, make_clock()))
    moves = list(episode.moves)
    moves[2] = msgspec.structs.replace(moves[2], **changed)
    found = find_difference(rules, msgspec.structs.replace(episode, moves=tuple(moves)))
    assert found is not None and found.move == 2
    assert "move 3 differs" in str(found) and words in str(found)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scores": (99.0,)}, "scores"),
        ({"digest": "0" * 16}, "the state is"),
        ({"frames": 61}, "the state is"),
        ({"frames": 10}, "frame 10"),
    ],
)
def test_a_changed_end_is_found(changed: dict[str, Any], words: str) -> None:
    rules = Counting()
    episode = asyncio.run(play_episode(rules, [Scripted(after(0.1))], 0, make_clock()))
    end = msgspec.structs.replace(episode.end, **changed)
    found = find_difference(rules, msgspec.structs.replace(episode, end=end))
    assert found is not None and found.move is None and words in str(found)


def test_a_record_of_another_game_is_refused() -> None:
    episode = asyncio.run(play_episode(Counting(), [Scripted(after(0.1))], 0, make_clock()))
    with pytest.raises(UsageError, match="counting-v1, not of 2048-v1"):
        find_difference(make_game("2048-v1"), episode)
