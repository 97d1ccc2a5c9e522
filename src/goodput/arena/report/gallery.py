"""Which films a page shows: of each contest the best players' typical games, a dozen in all."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from goodput.arena.episode.record import Episode
from goodput.arena.results.board import Leaderboard, Table
from goodput.arena.results.contests import contest_of

_MOST: Final = 12
_EACH: Final = 3


class Film(NamedTuple):
    """An episode and its film."""

    episode: Episode
    path: Path

    @property
    def title(self) -> str:
        """Who played what, and how it ended."""
        header, end = self.episode.header, self.episode.end
        who = " against ".join(header.players)
        score = " : ".join(f"{score:g}" for score in end.scores)
        timing = contest_of(self.episode).timing
        return f"{header.game}, seed {header.seed}, clock {timing}: {who}, {score} ({end.reason})"

    @property
    def source(self) -> str:
        """The film itself as a data URL."""
        return f"data:video/mp4;base64,{b64encode(self.path.read_bytes()).decode('ascii')}"


def chosen(board: Leaderboard, films: Sequence[Film]) -> list[Film]:
    """In the order of the tables; as many of each as fit."""
    each = max(1, min(_EACH, _MOST // max(1, len(board.tables))))
    picked: list[Film] = []
    for table in board.tables:
        own = [film for film in films if contest_of(film.episode) == table.contest]
        picked += _of_table(table, own)[:each]
    return picked[:_MOST]


def _of_table(table: Table, films: Sequence[Film]) -> list[Film]:
    """Of each player, the best first, the game whose score is in the middle."""
    picked: list[Film] = []
    for row in table.rows:
        own = [film for film in films if row.player in film.episode.header.players]
        own.sort(key=lambda film: _score(film, row.player))
        if own and own[len(own) // 2] not in picked:
            picked.append(own[len(own) // 2])
    return picked


def _score(film: Film, player: str) -> float:
    header = film.episode.header
    return film.episode.end.scores[header.players.index(player)]
