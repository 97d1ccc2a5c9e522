"""Cumulative distributions of TTFT, TPOT and E2E, with the bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goodput.bench.report.groups import LATENCIES, Group, spread
from goodput.bench.report.lines import group_lines, log_scale, mark_bounds, slo_handle
from goodput.bench.report.style import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LINES = 6
_MOST_POINTS = 400


def draw_distributions(groups: Sequence[Group]) -> Figure:
    """Three panels, one line a group. The share is of all scheduled requests: with failures a line
    ends below 100 %. Only answers of one token, which have no TPOT, are left out of its panel."""
    from matplotlib.lines import Line2D

    figure = new_figure(3.6)
    shown = spread(groups, _MOST_LINES)
    styles = group_lines(shown)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (name, read) in zip(panels, LATENCIES.items(), strict=True):
        for group, style in zip(shown, styles, strict=True):
            values = sorted(
                value for record in group.records if (value := read(record)) is not None
            )
            undefined = sum(
                read(record) is None and record.status == "ok" for record in group.records
            )
            points = distribution(values, len(group.records) - undefined)
            axes.step(
                [1e3 * value for value, _ in points],
                [100 * share for _, share in points],
                where="post",
                **style,
            )
        mark_bounds(axes.axvline, groups, name)
        log_scale(axes.xaxis)
        axes.set(xlabel=f"{name.upper()}, ms", ylim=(0, 103))
    panels[0].set_ylabel("requests at most this slow, %")
    handles = [
        Line2D([], [], label=group.label, **style)
        for group, style in zip(shown, styles, strict=True)
    ]
    figure.legend(handles=[*handles, slo_handle()], loc="outside lower center", ncols=4)
    return figure


def distribution(ordered: Sequence[float], total: int) -> list[tuple[float, float]]:
    """``(value, share of total at most that)``, thinned to what can be seen; values upwards."""
    if not ordered:
        return []
    every = max(1, len(ordered) // _MOST_POINTS)
    kept = sorted({*range(0, len(ordered), every), len(ordered) - 1})
    return [(ordered[0], 0.0), *((ordered[index], (index + 1) / total) for index in kept)]
