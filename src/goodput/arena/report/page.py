"""``report.html``: one file that needs nothing else, in light or dark as the reader likes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from goodput.arena.report.gallery import Film
from goodput.arena.results.board import Leaderboard, Table
from goodput.arena.results.matches import Meeting
from goodput.arena.results.paper import PAPER
from goodput.arena.results.scores import FEW_SEEDS, Row
from goodput.arena.results.statistics import Interval
from goodput.bench.report.style import Picture

_TEMPLATE = Path(__file__).with_name("page.html")


class Grid(NamedTuple):
    """A table of the page; the first column of each row is words, the others figures."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def render_page(board: Leaderboard, pictures: Sequence[Picture], films: Sequence[Film]) -> str:
    """The whole page. Names are the users' and servers' own: all is escaped."""
    from jinja2 import Environment

    games = ", ".join(dict.fromkeys(table.contest.game for table in board.tables))
    grids = [grid for table in board.tables for grid in _grids(table)]
    if board.kept:
        grids.append(_kept_grid(board))
    grids.append(_paper_grid(board))
    environment = Environment(autoescape=True, trim_blocks=True)
    return environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        title=f"Arena: {games}",
        episodes=board.episodes,
        schema=board.schema,
        grids=grids,
        pictures=pictures,
        films=films,
    )


def _grids(table: Table) -> list[Grid]:
    contest = table.contest
    title = f"{contest.game}, clock {contest.timing}"
    note = f"Fewer than {FEW_SEEDS} seeds: differences say little." if table.few_seeds else ""
    grids = [
        Grid(
            title,
            note,
            (
                "player", "seeds", "score", "95 %", "anchored", "Glass's delta", "goodput, 1/s",
                "late", "stale p50, frames", "latency p50, ms", "illegal", "calls", "tokens",
            ),
            [_row(row) for row in table.rows],
        )
    ]  # fmt: skip
    if table.comparisons:
        grids.append(
            Grid(
                f"{title}: differences",
                "Paired by seed; p by sign flips, corrected for all pairs (Holm).",
                ("first – second", "seeds", "difference", "95 %", "p"),
                [
                    (
                        f"{x.first} – {x.second}",
                        str(x.seeds),
                        f"{x.difference:+.4g}",
                        _between(x.interval),
                        f"{x.p:.3g}",
                    )
                    for x in table.comparisons
                ],
            )
        )
    if table.strengths:
        grids.append(
            Grid(
                f"{title}: head to head",
                "Strength in Elo units by the Bradley-Terry model with draws; forfeits are losses.",
                ("player", "games", "points", "forfeits", "strength", "95 %", "running Elo"),
                [
                    (
                        x.player,
                        str(x.games),
                        f"{x.points:g}",
                        str(x.forfeits),
                        f"{x.strength:+.0f}",
                        _between(x.interval),
                        f"{x.rating:.0f}",
                    )
                    for x in table.strengths
                ],
            )
        )
        grids.append(_meetings_grid(title, table.meetings))
    return grids


def _meetings_grid(title: str, meetings: Sequence[Meeting]) -> Grid:
    return Grid(
        f"{title}: who met whom",
        "As the first of the two saw it. p is that of equal players, by seeds, after Holm.",
        ("players", "seeds", "won", "drawn", "lost", "forfeits", "p"),
        [
            (
                f"{x.first} against {x.second}",
                str(x.seeds),
                str(x.wins),
                str(x.draws),
                str(x.losses),
                f"{x.forfeits}, theirs {x.forfeits_won}",
                f"{x.p:.3g}",
            )
            for x in meetings
        ],
    )


def _row(row: Row) -> tuple[str, ...]:
    figures = row.figures
    stale, latency = figures.staleness_frames, figures.latency_s
    illegal = figures.fates.get("illegal", 0) / figures.decisions if figures.decisions else 0.0
    return (
        row.player,
        str(row.seeds),
        f"{row.score:.4g}",
        _between(row.interval),
        _figure(row.anchored, ".2f"),
        _figure(row.delta, "+.2f"),
        _figure(row.goodput, ".2f"),
        _figure(row.late_share, ".0%"),
        _figure(None if stale is None else stale.p50, ".0f"),
        _figure(None if latency is None else latency.p50 * 1e3, ".0f"),
        f"{illegal:.0%}",
        str(figures.calls),
        str(figures.prompt_tokens + figures.output_tokens),
    )


def _kept_grid(board: Leaderboard) -> Grid:
    return Grid(
        "What time costs",
        "Score over slow-down; kept: against the paused clock on the same seeds.",
        (
            "game, player, clock",
            "score",
            "95 %",
            "kept",
            "95 %",
            "goodput, 1/s",
            "stale p50",
            "late",
        ),
        [
            (
                f"{x.game}, {x.player}, {x.timing}",
                f"{x.score:.4g}",
                _between(x.interval),
                _figure(x.kept, ".0%"),
                _between(x.kept_interval),
                _figure(x.goodput, ".2f"),
                _figure(x.stale_p50, ".0f"),
                _figure(x.late_share, ".0%"),
            )
            for x in board.kept
        ],
    )


def _paper_grid(board: Leaderboard) -> Grid:
    """The paper's figures, with our best model's place where a game of that kind was played."""
    programs = {"random", "greedy", "search", "human"}
    best = {
        table.contest.game: row
        for table in reversed(board.tables)
        for row in reversed(table.rows)
        if row.player not in programs and row.anchored is not None
    }
    rows: list[tuple[str, ...]] = []
    for paper in PAPER:
        ours = best.get(paper.ours)
        rows.append(
            (
                paper.game,
                f"{paper.random:g}",
                f"{paper.human:g}",
                "n/a" if paper.score is None else f"{paper.score:g} ({paper.model})",
                _figure(paper.anchored, ".2f"),
                "–" if ours is None else f"{ours.anchored:.2f} ({ours.player}, {paper.ours})",
            )
        )
    return Grid(
        "Beside Lmgame-Bench",
        "Its games have other rules and units; anchored at its random (0) and human (1) players, "
        "ours at random and search. The places compare only loosely.",
        ("game of the paper", "random", "human", "best model", "anchored", "our best model"),
        rows,
    )


def _between(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}"


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
