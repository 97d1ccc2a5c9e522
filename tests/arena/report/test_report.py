"""The page of real episodes: whole, self-contained, with their films, and opened in a browser."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from goodput.arena.clocks import make_clock
from goodput.arena.episode.runner import play_episode
from goodput.arena.episode.store import EpisodeStore
from goodput.arena.games.registry import make_game
from goodput.arena.players.parse import parse_player
from goodput.arena.report import write_report
from goodput.arena.results.board import Leaderboard
from goodput.cli import main
from goodput.core.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three players of 2048 under two clocks, and a pair of games of tic-tac-toe."""
    store = EpisodeStore(tmp_path_factory.mktemp("arena"))

    async def play(game: str, players: tuple[str, ...], seed: int, clock: str) -> None:
        rules = make_game(game)
        rules.spec = msgspec.structs.replace(rules.spec, step_limit=30)  # type: ignore[misc]
        seats = [parse_player(name) for name in players]
        store.save(await play_episode(rules, seats, seed, make_clock(clock)))

    async def all_of_them() -> None:
        for seed in range(2):
            for name in ("random", "greedy"):
                for clock in ("paused", "virtual"):
                    await play("2048-v1", (name,), seed, clock)
            for pair in (("random", "search"), ("search", "random")):
                await play("tictactoe-v1", pair, seed, "virtual")

    asyncio.run(all_of_them())
    write_report(store.folder)
    return store.folder


class Links(HTMLParser):
    """What a page would load, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_no_other_file(folder: Path) -> None:
    page = Links()
    page.feed((folder / "report.html").read_text())
    assert all(source.startswith(("data:video/mp4;base64,", "#")) for source in page.sources)
    assert "script" not in page.tags and page.tags.count("video") >= 5


def test_it_shows_players_intervals_strengths_and_the_paper(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    for words in (
        "greedy",
        "tictactoe-v1, clock virtual: head to head",
        "tictactoe-v1, clock virtual: who met whom",
        "What time costs",
        "o3",
    ):
        assert words in text


def test_every_episode_has_a_film_and_the_figures_are_kept(folder: Path) -> None:
    episodes = list(folder.glob("*.episode.jsonl"))
    films = {path.name for path in (folder / "films").glob("*.mp4")}
    assert films == {path.name.removesuffix(".episode.jsonl") + ".mp4" for path in episodes}
    board = msgspec.json.decode((folder / "leaderboard.json").read_bytes(), type=Leaderboard)
    assert board.episodes == len(episodes) == 12


def test_films_that_are_there_are_not_drawn_again(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "films").iterdir()}
    seen: list[tuple[int, int]] = []
    write_report(folder, lambda done, total: seen.append((done, total)))
    assert {path: path.stat().st_mtime_ns for path in (folder / "films").iterdir()} == before
    assert seen[-1] == (12, 12)


def test_the_verb_prints_where_the_page_is(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", "report", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert main(["play", "report", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_shows_the_films(folder: Path, tmp_path: Path) -> None:
    page = f"file://{folder / 'report.html'}"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert shown.count("<video") >= 5 and "head to head" in shown


def test_a_folder_without_episodes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no episodes"):
        write_report(tmp_path)


def test_names_are_escaped(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path)
    episode = asyncio.run(
        play_episode(
            make_game("tictactoe-v1"), [parse_player("random")] * 2, 0, make_clock("virtual")
        )
    )
    players = ("<script>alert(1)</script>", "b")
    header = msgspec.structs.replace(episode.header, players=players)
    store.save(msgspec.structs.replace(episode, header=header))
    assert "<script>" not in write_report(tmp_path).read_text()
