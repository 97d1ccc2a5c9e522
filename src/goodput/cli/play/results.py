"""What came of a run: as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.table import Table

from goodput.arena.episode.record import Episode
from goodput.arena.results.board import Leaderboard, leaderboard
from goodput.arena.results.matches import Meeting
from goodput.arena.results.scores import FEW_SEEDS, Row
from goodput.arena.tournament.config import Config
from goodput.arena.tournament.crew import Crew

_COLUMNS = ("seeds", "score", "95 %", "anchored", "goodput/s", "late", "stale", "illegal")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints: the settings, how far the run came, and the results."""

    config: Config
    tally: dict[str, int]
    stopped: bool
    results: Leaderboard


def results_tables(episodes: Sequence[Episode]) -> Iterator[Table]:
    """A table a contest, a line a player; in games of two also who beats whom."""
    for found in leaderboard(episodes).tables:
        title = f"{found.contest.game}, clock {found.contest.timing}"
        little = f"fewer than {FEW_SEEDS} seeds: differences say little"
        caption = little if found.few_seeds else None
        table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
        table.add_column("player")
        for column in _COLUMNS:
            table.add_column(column, justify="right")
        for row in found.rows:
            table.add_row(row.player, *_figures(row))
        yield table
        if found.strengths:
            versus = Table(title="head to head", title_justify="left")
            versus.add_column("player")
            for column in ("games", "points", "forfeits", "strength (Elo)", "95 %"):
                versus.add_column(column, justify="right")
            for one in found.strengths:
                bounds = "–" if one.interval is None else "{:+.0f} to {:+.0f}".format(*one.interval)
                points = (str(one.games), f"{one.points:g}", str(one.forfeits))
                versus.add_row(one.player, *points, f"{one.strength:+.0f}", bounds)
            yield versus
            yield _meetings(found.meetings)


def _meetings(meetings: Sequence[Meeting]) -> Table:
    table = Table(title="who met whom", title_justify="left")
    table.add_column("players")
    for column in ("seeds", "won", "drawn", "lost", "p"):
        table.add_column(column, justify="right")
    for one in meetings:
        games = (str(one.seeds), str(one.wins), str(one.draws), str(one.losses))
        table.add_row(f"{one.first} against {one.second}", *games, f"{one.p:.3g}")
    return table


def results_json(config: Config, crew: Crew, *, stopped: bool) -> str:
    """The same as one JSON object."""
    tally = crew.tally
    outcome = Outcome(
        config=config,
        tally={"total": tally.total, "kept": tally.kept, "played": tally.played},
        stopped=stopped,
        results=leaderboard(crew.episodes),
    )
    return msgspec.json.encode(outcome).decode()


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _figures(row: Row) -> Iterator[str]:
    figures = row.figures
    stale = figures.staleness_frames
    illegal = figures.fates.get("illegal", 0) / max(1, figures.decisions)
    yield str(row.seeds)
    yield _number(row.score)
    yield "–" if row.interval is None else "–".join(map(_number, row.interval))
    yield "–" if row.anchored is None else f"{row.anchored:.2f}"
    yield "–" if row.goodput is None else f"{row.goodput:.2f}"
    yield "–" if row.late_share is None else f"{row.late_share:.0%}"
    yield "–" if stale is None else f"{stale.p50:.0f}"
    yield f"{illegal:.0%}"
