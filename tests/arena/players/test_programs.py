"""Players that are programs, and a person at a pipe."""

from __future__ import annotations

import os
from typing import Any

import pytest

from goodput.arena.games.registry import make_game
from goodput.arena.players.base import Observation
from goodput.arena.players.human import HumanPlayer
from goodput.arena.players.parse import parse_player

TTT = make_game("tictactoe-v1")


def seen(rules: Any, state: Any) -> Observation:
    (seat,) = rules.to_act(state)
    return Observation(rules, state, seat, tuple(rules.legal(state, seat)), 0)


async def choices(name: str, seed: int, count: int = 12) -> list[int | None]:
    player = parse_player(name)
    await player.reset(seed)
    rules = make_game("2048-v1")
    state, found = rules.reset(5), []
    for turn in range(count):
        legal = tuple(rules.legal(state))
        decision = await player.decide(Observation(rules, state, 0, legal, turn))
        found.append(decision.action)
        assert decision.action in legal and decision.rung == "built-in" and decision.calls == 0
        state = rules.step(state, decision.action)
    return found


@pytest.mark.parametrize("name", ["random", "greedy", "search"])
async def test_the_seed_says_all(name: str) -> None:
    assert await choices(name, 1) == await choices(name, 1)


async def test_other_seeds_play_otherwise() -> None:
    assert await choices("random", 1) != await choices("random", 2)


async def test_greedy_takes_a_win_that_is_there() -> None:
    state = TTT.reset(0)
    player = parse_player("greedy")
    # Two in a row for whoever is to move, and the third cell free.
    from goodput.arena.games.tictactoe import Marks

    state = Marks(0b000000011, 0b000011000)
    (seat,) = TTT.to_act(state)
    decision = await player.decide(seen(TTT, state))
    assert decision.action is not None
    after = TTT.step(state, decision.action, seat)
    assert TTT.outcome(after)[seat] == 1.0


@pytest.fixture
def pipe() -> Any:
    reading, writing = os.pipe()
    with os.fdopen(reading, "r") as lines, os.fdopen(writing, "w") as typist:
        yield lines, typist


async def test_a_person_types_words_or_numbers(pipe: Any, capsys: Any) -> None:
    lines, typist = pipe
    state = TTT.reset(0)
    observation = seen(TTT, state)
    words = [TTT.spec.actions[action] for action in observation.legal]
    print(f"nonsense\n{words[2].upper()}\n1", file=typist, flush=True)
    player = HumanPlayer(lines=lines)
    first = await player.decide(observation)
    second = await player.decide(observation)
    assert (first.action, second.action) == (observation.legal[2], observation.legal[0])
    assert "'nonsense' is not possible now" in capsys.readouterr().out


async def test_the_end_of_the_input_is_no_move(pipe: Any) -> None:
    lines, typist = pipe
    typist.close()
    decision = await HumanPlayer(lines=lines).decide(seen(TTT, TTT.reset(0)))
    assert decision.action is None and decision.error == "the terminal's input has ended"


async def test_in_a_race_the_search_plays_its_own_side() -> None:
    rules = make_game("race-2048-v1")
    state = rules.reset(3)
    player = parse_player("search")
    for seat in (0, 1):
        legal = tuple(rules.legal(state, seat))
        decision = await player.decide(Observation(rules, state, seat, legal, 0))
        assert decision.action in legal
        state = rules.step(state, decision.action, seat)
