"""The page's pictures: who scores how much, how sure that is, and what latency costs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from goodput.arena.results.board import Leaderboard, Table
from goodput.arena.results.slowdown import Kept
from goodput.bench.report.style import MISS, SERIES, Picture, new_figure, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABEL: Final = 40


def pictures_of(board: Leaderboard) -> list[Picture]:
    """One of all scores, and one for each game that was played under several clocks."""
    found = [_scores(board)]
    for game, rows in groupby(board.kept, key=lambda row: row.game):
        found.append(_kept(game, list(rows)))
    return found


def _scores(board: Leaderboard) -> Picture:
    lines = sum(len(table.rows) for table in board.tables)

    def draw() -> Figure:
        figure = new_figure(0.6 * len(board.tables) + 0.42 * lines + 0.8)
        heights = [len(table.rows) + 1 for table in board.tables]
        axes = figure.subplots(len(board.tables), 1, squeeze=False, height_ratios=heights)
        for axis, table in zip(axes[:, 0], board.tables, strict=True):
            _draw_scores(axis, table)
        return figure

    return picture(
        "scores",
        "Scores",
        "The mean over seeds, and the interval in which it lies with a confidence of 95 %.",
        draw,
    )


def _draw_scores(axis: Any, table: Table) -> None:
    rows = list(reversed(table.rows))
    places = range(len(rows))
    for place, row in zip(places, rows, strict=True):
        if row.interval is not None:
            axis.plot(row.interval, [place] * 2, color=SERIES[0], linewidth=3, alpha=0.35)
        axis.plot([row.score], [place], "o", color=SERIES[0])
    axis.set_yticks(list(places), [row.player[:_LABEL] for row in rows])
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_title(f"{table.contest.game}, clock {table.contest.timing}")


def _kept(game: str, rows: list[Kept]) -> Picture:
    timings = list(dict.fromkeys(row.timing for row in rows))
    players = list(dict.fromkeys(row.player for row in rows))

    def draw() -> Figure:
        figure = new_figure(3.4)
        left, right = figure.subplots(1, 2)
        for index, player in enumerate(players):
            own = {row.timing: row for row in rows if row.player == player}
            colour = SERIES[index % len(SERIES)]
            known = [place for place, timing in enumerate(timings) if timing in own]
            found = [own[timings[place]] for place in known]
            left.plot(
                known, [row.score for row in found], "o-", color=colour, label=player[:_LABEL]
            )
            late = [row.late_share or 0.0 for row in found]
            right.plot(known, late, "o-", color=colour)
        for axis in (left, right):
            axis.set_xticks(range(len(timings)), timings, rotation=20, ha="right")
        left.set_title("score")
        left.legend()
        right.set_title("share of moves that came late")
        right.set_ylim(-0.02, 1.02)
        right.axhline(0.5, color=MISS, linewidth=0.6)
        return figure

    return picture(
        f"kept-{game}",
        f"{game}: what time costs",
        "The same players on the same seeds under each clock.",
        draw,
    )
