"""The default model plays against our own server, held to legal moves by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.system.conftest import ServeProcess

from goodput.arena.clocks import make_clock
from goodput.arena.episode.record import Episode
from goodput.arena.episode.replay import find_difference
from goodput.arena.episode.runner import play_episode
from goodput.arena.games.registry import make_game
from goodput.arena.players.parse import parse_player
from goodput.models.catalog import resolve
from goodput.models.weights import prepare

MODEL = "smollm2:135m"
MOVES = 4


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    prepare(resolve(MODEL, pull=True), "cpu")
    server = ServeProcess(
        tmp_path_factory.mktemp("arena"),
        f"model: {MODEL}\nworkers: {{prefill: 0, decode: 0, mixed: 1}}\n",
    )
    server.wait_ready()
    yield server.url
    server.process.kill()
    server.process.wait()


def played(game: str, url: str, moves: int, rivals: tuple[str, ...] = ()) -> Episode:
    rules = make_game(game)
    rules.spec = replace(rules.spec, step_limit=moves)  # type: ignore[misc]
    players = [parse_player(name) for name in (f"openai:{MODEL}@{url}", *rivals)]

    async def play() -> Episode:
        try:
            return await play_episode(rules, players, 1, make_clock("virtual"))
        finally:
            for player in players:
                await player.close()

    episode = asyncio.run(play())
    assert find_difference(rules, episode) is None
    return episode


@pytest.mark.parametrize(
    ("game", "rivals"),
    [
        ("2048-v1", ()),
        ("tictactoe-v1", ("random",)),
        ("connect-four-v1", ("random",)),
        ("tetris-place-v1", ()),
    ],
)
def test_it_makes_no_illegal_move(url: str, game: str, rivals: tuple[str, ...]) -> None:
    episode = played(game, url, MOVES, rivals)
    own = [move for move in episode.moves if move.seat == 0]
    assert own and all(move.rung == "choice" and move.error is None for move in own)
    assert {move.fate for move in own} <= {"applied", "dropped"}
    assert episode.end.forfeited_by is None
    assert all(move.calls == 1 and move.output_tokens > 0 for move in own)


@pytest.mark.slow
@pytest.mark.parametrize("game", ["2048-v1", "tetris-v1", "sokoban-v1", "platformer-v1"])
def test_whole_episodes(url: str, game: str) -> None:
    episode = played(game, url, 60)
    # How many moves fit before a game is over depends on how fast they come.
    assert episode.moves and episode.end.reason in ("over", "steps", "frames")
    assert all(move.fate in ("applied", "dropped") for move in episode.moves)
