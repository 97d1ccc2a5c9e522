"""Everything that episodes say, in one structure: what tables, JSON and the page are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from goodput.arena.episode.record import Episode
from goodput.arena.results.contests import Contest, contest_of, contests
from goodput.arena.results.scores import Comparison, Row, comparisons_of, rows_of
from goodput.arena.results.slowdown import Kept, kept_scores
from goodput.arena.results.versus import Strength, strengths_of

SCHEMA: Final = "goodput.arena/1"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A contest: its players, the best first, their differences, and in games of two strengths."""

    contest: Contest
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    strengths: tuple[Strength, ...]


class Leaderboard(msgspec.Struct, frozen=True, kw_only=True):
    """The results of some episodes (docs/arena.md describes the fields)."""

    schema: Literal["goodput.arena/1"] = SCHEMA
    episodes: int
    tables: tuple[Table, ...]
    kept: tuple[Kept, ...]


def leaderboard(episodes: Sequence[Episode]) -> Leaderboard:
    """The results of ``episodes``, in whatever order they are."""
    found = contests(episodes)
    return Leaderboard(
        episodes=len(episodes),
        tables=tuple(
            Table(
                contest=contest,
                rows=tuple(rows_of(players)),
                comparisons=tuple(comparisons_of(players)),
                strengths=tuple(strengths_of([x for x in episodes if contest_of(x) == contest])),
            )
            for contest, players in found.items()
        ),
        kept=tuple(kept_scores(found)),
    )
