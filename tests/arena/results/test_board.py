"""The whole structure, from real episodes, as JSON and back."""

from __future__ import annotations

import asyncio

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.arena.results.made import alone, match

from goodput.arena.clocks import make_clock
from goodput.arena.episode.record import Episode
from goodput.arena.episode.runner import play_episode
from goodput.arena.games.registry import make_game
from goodput.arena.players.base import Decision, Observation, Player
from goodput.arena.players.parse import parse_player
from goodput.arena.results.board import SCHEMA, Leaderboard, leaderboard
from goodput.arena.results.paper import PAPER

MIXED = [
    *alone("m", 3, 1, 4),
    *alone("random", 1, 5, 9, clock="virtual"),
    *alone("m", 2, 6, 5, clock="virtual"),
    match("a", "b", 1.0),
    match("b", "a", 0.5),
    match("a", "c", 0.0, seed=1),
    match("c", "b", 1.0, seed=1, forfeited_by=1),
]


class Rude(Player):
    """Says a word that is no move."""

    label = "rude"
    harness = ()

    async def reset(self, seed: int) -> None: ...

    async def decide(self, observation: Observation) -> Decision:
        return Decision(action=None, rung="none", illegal="z9")

    async def close(self) -> None: ...


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


def test_few_seeds_are_said_to_be_few() -> None:
    nine, ten = leaderboard(alone("m", *range(9))), leaderboard(alone("m", *range(10)))
    assert nine.tables[0].few_seeds and not ten.tables[0].few_seeds
    # Of several players the one with the fewest counts.
    both = leaderboard([*alone("m", *range(10)), *alone("n", 1)])
    assert both.tables[0].few_seeds


def test_breaking_the_rules_never_pays() -> None:
    """Nobody has won by the rules when a game is forfeited, and in hold'em the forfeiter may lead:
    every figure of the contest counts it as lost all the same."""

    async def play(game: str, seed: int, turned: bool) -> Episode:
        rude, fair = Rude(), parse_player("random")
        seats = (fair, rude) if turned else (rude, fair)
        return await play_episode(make_game(game), seats, seed, make_clock())

    for game in ("tictactoe", "connect-four", "holdem"):
        played = [asyncio.run(play(game, seed, way)) for seed in range(2) for way in (False, True)]
        assert all(episode.end.reason == "forfeit" for episode in played)
        (table,) = leaderboard(played).tables
        assert [(row.player, row.score) for row in table.rows] == [("random", 1.0), ("rude", 0.0)]
        assert [row.player for row in table.strengths] == ["random", "rude"]
        (meeting,) = table.meetings
        assert (meeting.first, meeting.wins, meeting.forfeits_won) == ("random", 4, 4)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(MIXED))))
def test_the_order_of_episodes_decides_nothing_but_that_of_the_tables(order: list[int]) -> None:
    board, other = leaderboard(MIXED), leaderboard([MIXED[place] for place in order])
    assert other.kept == board.kept
    assert {table.contest: table for table in other.tables} == {
        table.contest: table for table in board.tables
    }


def test_the_paper_is_anchored_at_its_own_players() -> None:
    tetris = next(row for row in PAPER if row.game == "Tetris")
    assert tetris.anchored is not None
    assert round(tetris.anchored, 3) == round((42 - 10.2) / (353 - 10.2), 3)
    assert PAPER[-1].anchored is None


def test_our_games_beside_the_papers_exist() -> None:
    for row in PAPER:
        assert make_game(row.ours.removesuffix("-v1")).spec.id == row.ours
