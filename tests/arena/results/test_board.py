"""The whole structure, from real episodes, as JSON and back."""

from __future__ import annotations

import asyncio

import msgspec
from tests.arena.results.made import alone, match

from goodput.arena.clocks import make_clock
from goodput.arena.episode.runner import play_episode
from goodput.arena.games.registry import make_game
from goodput.arena.players.parse import parse_player
from goodput.arena.results.board import SCHEMA, Leaderboard, leaderboard
from goodput.arena.results.paper import PAPER


def test_real_episodes_make_a_board() -> None:
    rules = make_game("2048-v1")
    played = [
        asyncio.run(play_episode(rules, [parse_player(name)], seed, make_clock()))
        for name in ("random", "greedy")
        for seed in range(3)
    ]
    board = leaderboard(played)
    (table,) = board.tables
    assert [row.player for row in table.rows] == ["greedy", "random"]
    assert table.rows[0].goodput is None or table.rows[0].goodput >= 0
    again = msgspec.json.decode(msgspec.json.encode(board), type=Leaderboard)
    assert again == board and board.schema == SCHEMA


def test_games_of_one_have_no_strengths_and_games_of_two_do() -> None:
    board = leaderboard([*alone("m", 1, 2), match("a", "b", 1.0)])
    single, versus = board.tables
    assert single.strengths == () and [x.player for x in versus.strengths] == ["a", "b"]
    assert board.kept == ()


def test_the_paper_is_anchored_at_its_own_players() -> None:
    tetris = next(row for row in PAPER if row.game == "Tetris")
    assert tetris.anchored is not None
    assert round(tetris.anchored, 3) == round((42 - 10.2) / (353 - 10.2), 3)
    assert PAPER[-1].anchored is None
