"""From a folder of episodes to its films and its page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from goodput.arena.episode.record import Episode
from goodput.arena.episode.store import SUFFIX, EpisodeStore
from goodput.arena.films.files import write_film
from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import Rules
from goodput.arena.report.gallery import Film, chosen
from goodput.arena.report.page import render_page
from goodput.arena.report.pictures import pictures_of
from goodput.arena.results.board import leaderboard
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically

PAGE: Final = "report.html"
BOARD: Final = "leaderboard.json"
FILMS: Final = "films"

Progress = Callable[[int, int], None]
"""Is told how many films there are, and of how many."""


def write_report(folder: Path, progress: Progress | None = None) -> Path:
    """Write a film of each episode in ``folder`` that has none yet, ``leaderboard.json`` and
    ``report.html``, which needs no other file; returns the page.

    Raises UsageError when there are no episodes, or one is damaged or of a game that is not here.
    """
    store = EpisodeStore(folder)
    episodes = store.all()
    if not episodes:
        raise UsageError(f"there are no episodes (*{SUFFIX}) in {folder}")
    films = _films(store, episodes, progress)
    board = leaderboard(episodes)
    write_atomically(folder / BOARD, msgspec.json.format(msgspec.json.encode(board), indent=1))
    page = render_page(board, pictures_of(board), chosen(board, films))
    write_atomically(folder / PAGE, page.encode())
    return folder / PAGE


def _films(
    store: EpisodeStore, episodes: Sequence[Episode], progress: Progress | None
) -> list[Film]:
    games: dict[str, Rules[Any]] = {}
    films = []
    for number, episode in enumerate(episodes, start=1):
        header = episode.header
        rules = games.setdefault(header.game, make_game(header.game))
        name = store.path(header).name.removesuffix(SUFFIX)
        path = store.folder / FILMS / f"{name}.mp4"
        if not path.exists():
            write_film(path, rules, episode)
        films.append(Film(episode, path))
        if progress is not None:
            progress(number, len(episodes))
    return films
