"""Players that are programs, and a person at a pipe."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from goodput.arena.games.registry import make_game
from goodput.arena.games.tictactoe import Marks
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
    player = parse_player("greedy")
    # Two in a row for whoever is to move, and the third cell free.
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


async def test_an_empty_line_passes(pipe: Any) -> None:
    lines, typist = pipe
    print(file=typist, flush=True)
    decision = await HumanPlayer(lines=lines).decide(seen(TTT, TTT.reset(0)))
    assert (decision.action, decision.error, decision.rung) == (None, None, "none")


async def test_a_person_who_is_no_longer_asked_loses_no_line(pipe: Any) -> None:
    lines, typist = pipe
    player, question = HumanPlayer(lines=lines), seen(TTT, TTT.reset(0))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(player.decide(question), 0.05)
    print("2", file=typist, flush=True)
    assert (await player.decide(question)).action == question.legal[1]


async def test_a_file_may_play_too(tmp_path: Path) -> None:
    script = tmp_path / "moves"
    script.write_text("b2\n3")
    with script.open() as lines:
        player, question = HumanPlayer(lines=lines), seen(TTT, TTT.reset(0))
        first, second, third = [await player.decide(question) for _ in range(3)]
    assert TTT.spec.actions[first.action or 0] == "b2"
    assert second.action == question.legal[2]  # The last line needs no end.
    assert third.action is None and third.error is not None


async def test_the_end_of_the_input_is_no_move(pipe: Any) -> None:
    lines, typist = pipe
    typist.close()
    decision = await HumanPlayer(lines=lines).decide(seen(TTT, TTT.reset(0)))
    assert decision.action is None and decision.error == "the terminal's input has ended"


async def test_chance_is_fair_and_new_in_every_episode() -> None:
    player = parse_player("random")
    question = seen(TTT, TTT.reset(0))
    drawn: Counter[int | None] = Counter()
    for seed in range(90):
        await player.reset(seed)
        drawn.update([(await player.decide(question)).action for _ in range(10)])
    assert set(drawn) == set(question.legal)
    # 100 each are expected; six standard deviations are 57.
    assert all(abs(count - 100) < 57 for count in drawn.values())


async def test_the_same_seed_again_is_the_same_episode_again() -> None:
    player = parse_player("random")
    question = seen(TTT, TTT.reset(0))
    episodes = []
    for _ in range(2):
        await player.reset(7)
        episodes.append([(await player.decide(question)).action for _ in range(20)])
    assert episodes[0] == episodes[1]


async def test_greedy_in_a_race_gains_on_its_own_side() -> None:
    rules = make_game("race-2048-v1")
    state = rules.reset(3)
    player = parse_player("greedy")
    for turn in range(12):
        legal = tuple(rules.legal(state, 1))
        decision = await player.decide(Observation(rules, state, 1, legal, turn))
        assert decision.action is not None
        gains = [rules.score(rules.step(state, action, 1), 1) for action in legal]
        state = rules.step(state, decision.action, 1)
        assert rules.score(state, 1) == max(gains)


async def test_in_a_race_the_search_plays_its_own_side() -> None:
    rules = make_game("race-2048-v1")
    state = rules.reset(3)
    player = parse_player("search")
    for seat in (0, 1):
        legal = tuple(rules.legal(state, seat))
        decision = await player.decide(Observation(rules, state, seat, legal, 0))
        assert decision.action in legal
        state = rules.step(state, decision.action, seat)
