"""Everything that episodes say, in one structure: what tables, JSON and the page are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from goodput.arena.episode.record import Episode
from goodput.arena.results.contests import Contest, Seat, contests
from goodput.arena.results.matches import Meeting, meetings_of, results_of
from goodput.arena.results.scores import FEW_SEEDS, Comparison, Row, comparisons_of, rows_of
from goodput.arena.results.slowdown import Kept, kept_scores
from goodput.arena.results.versus import Strength, strengths_of

SCHEMA: Final = "goodput.arena/1"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A contest: its players, the best first, and their differences; in games of two also their
    strengths and who met whom. ``few_seeds``: too few for differences to say much."""

    contest: Contest
    few_seeds: bool
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    strengths: tuple[Strength, ...]
    meetings: tuple[Meeting, ...]


class Leaderboard(msgspec.Struct, frozen=True, kw_only=True):
    """The results of some episodes (docs/arena-results.md describes the fields)."""

    schema: Literal["goodput.arena/1"] = SCHEMA
    episodes: int
    tables: tuple[Table, ...]
    kept: tuple[Kept, ...]


def leaderboard(episodes: Sequence[Episode]) -> Leaderboard:
    """The results of ``episodes``. Their order decides nothing but that of the tables, which is
    that of the contests' first episodes."""
    found = contests(episodes)
    return Leaderboard(
        episodes=len(episodes),
        tables=tuple(_table(contest, players) for contest, players in found.items()),
        kept=tuple(kept_scores(found)),
    )


def _table(contest: Contest, players: Mapping[str, Sequence[Seat]]) -> Table:
    # Whoever sat in the first seat: each episode once.
    games = [episode for seats in players.values() for episode, seat in seats if seat == 0]
    results = results_of(games)
    strengths = strengths_of(results)
    rows = tuple(rows_of(players))
    return Table(
        contest=contest,
        few_seeds=min(row.seeds for row in rows) < FEW_SEEDS,
        rows=rows,
        comparisons=tuple(comparisons_of(players)),
        strengths=tuple(strengths),
        meetings=tuple(meetings_of(results, [row.player for row in strengths])),
    )
