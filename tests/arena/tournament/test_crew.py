"""Whole runs: what is kept, what is played again, and what a dead server costs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from goodput.arena.episode.record import Episode
from goodput.arena.episode.store import EpisodeStore
from goodput.arena.tournament.config import Config, Entrant, resolve
from goodput.arena.tournament.crew import Crew, Tally
from goodput.arena.tournament.roster import Roster
from goodput.arena.tournament.wishes import Wishes
from goodput.core.errors import UsageError

NOBODY = "openai:x@http://127.0.0.1:1"


def config(folder: Path, **wishes: object) -> Config:
    return resolve(Wishes(out=str(folder), **wishes), Wishes(), name="x")  # type: ignore[arg-type]


def timeless(episodes: list[Episode]) -> list[Episode]:
    """The episodes without what a clock measured."""
    return [
        replace(
            episode,
            end=replace(episode.end, seconds=0.0),
            moves=tuple(replace(move, latency_s=0.0) for move in episode.moves),
        )
        for episode in episodes
    ]


async def test_programs_play_alone_and_in_pairs(tmp_path: Path) -> None:
    games, players = ("2048", "tictactoe"), ("random", "greedy")
    crew = Crew(config(tmp_path, games=games, players=players, episodes=2, clocks=("paused",)))
    await crew.play()
    assert crew.tally.played == crew.tally.total == 8 and crew.tally.missing == 0
    assert [episode.header.players for episode in crew.episodes] == [
        *([("random",), ("greedy",)] * 2),
        *([("random", "greedy"), ("greedy", "random")] * 2),
    ]
    saved = EpisodeStore(tmp_path).all()
    assert sorted(map(str, saved)) == sorted(map(str, crew.episodes))


async def test_only_what_is_missing_is_played(tmp_path: Path) -> None:
    asked = config(tmp_path, games=("2048",), players=("random", "greedy"), episodes=2)
    first = Crew(asked)
    await first.play()
    gone = EpisodeStore(tmp_path).path(first.episodes[1].header)
    gone.unlink()
    second = Crew(asked)
    second.recall()
    assert (second.tally.kept, second.tally.missing) == (3, 1) and not gone.exists()
    await second.play()
    assert (second.tally.kept, second.tally.played) == (3, 1) and gone.exists()
    assert timeless(second.episodes) == timeless(first.episodes)


@pytest.mark.parametrize("parallel", [1, 3])
async def test_a_run_that_is_cancelled_goes_on_as_if_nothing_had_been(
    tmp_path: Path, parallel: int
) -> None:
    wishes = {"games": ("2048",), "players": ("random", "greedy"), "episodes": 3}
    whole = Crew(config(tmp_path / "whole", **wishes))
    await whole.play()

    def cut(tally: Tally) -> None:
        if tally.moves == 400:
            playing.cancel()

    asked = config(tmp_path / "cut", **wishes, parallel=parallel)
    crew = Crew(asked, cut)
    playing = asyncio.create_task(crew.play())
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert len(asyncio.all_tasks()) == 1, "nobody plays on"
    left = {path.name for path in (tmp_path / "cut").glob("*")}
    assert crew.tally.missing > 0
    assert left >= {EpisodeStore(tmp_path / "cut").path(e.header).name for e in crew.episodes}
    assert not [name for name in left if name.startswith(".")], "nothing is half"

    again = Crew(asked)
    again.recall()
    await again.play()
    assert again.tally.missing == 0
    assert timeless(again.episodes) == timeless(whole.episodes)


async def test_no_more_than_so_many_play_at_a_time(tmp_path: Path) -> None:
    at_play: list[int] = []
    began: set[str] = set()

    def look(tally: Tally) -> None:
        began.add(tally.latest)
        at_play.append(len(began) - tally.played)

    wishes = {"games": ("2048",), "players": ("random",), "episodes": 5, "parallel": 2}
    await Crew(config(tmp_path, **wishes), look).play()
    assert max(at_play) == 2 and len(began) == 5


async def test_a_dead_server_costs_its_player_the_game_and_never_the_run(tmp_path: Path) -> None:
    wishes = {"players": ("random", NOBODY), "timeout": "50ms", "episodes": 1}
    crew = Crew(config(tmp_path, games=("2048", "tictactoe"), **wishes))
    await crew.play()
    alone, silent, *pairs = crew.episodes
    assert alone.end.reason == "over" and alone.end.scores[0] > 0
    assert silent.end.reason == "silent" and silent.end.scores == (0.0,)
    assert all(move.error for move in silent.moves)
    for episode in pairs:
        dead = episode.header.players.index("x@127.0.0.1:1 timeout_s=0.05")
        assert (episode.end.reason, episode.end.forfeited_by) == ("forfeit", dead)
        assert episode.end.outcome[dead] == 0.0


async def test_a_damaged_episode_is_named_and_not_overwritten(tmp_path: Path) -> None:
    asked = config(tmp_path, games=("tictactoe",), players=("random", "greedy"), episodes=1)
    crew = Crew(asked)
    await crew.play()
    path = EpisodeStore(tmp_path).path(crew.episodes[0].header)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UsageError, match=path.name):
        Crew(asked).recall()


async def test_an_episode_that_cannot_be_saved_ends_the_run_for_all(tmp_path: Path) -> None:
    wishes = {"games": ("2048",), "players": ("random",), "parallel": 2}
    first = Crew(config(tmp_path / "other", **wishes, episodes=1))
    await first.play()
    blocked = EpisodeStore(tmp_path).path(first.episodes[0].header)
    blocked.mkdir()
    crew = Crew(config(tmp_path, **wishes, episodes=8))
    with pytest.raises(UsageError, match=f"cannot write {blocked}"):
        await crew.play()
    assert crew.tally.missing > 4, "the other boards do not play on"


def test_a_player_is_at_one_board_at_a_time_and_comes_back() -> None:
    roster = Roster([Entrant(player="random"), Entrant(player="greedy")])
    with roster.seated((0, 1)) as first:
        assert [player.label for player in first] == ["random", "greedy"]
        with roster.seated((1, 0)) as second:
            assert [player.label for player in second] == ["greedy", "random"]
            assert not {*map(id, first)} & {*map(id, second)}
    with roster.seated((0,)) as third:
        assert third[0] in (*first, *second)
