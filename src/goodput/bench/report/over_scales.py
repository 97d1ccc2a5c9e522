"""Attainment over the SLO scale: how much tighter the promise could be, or how much looser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goodput.bench.report.groups import Group, spread
from goodput.bench.report.lines import group_lines, log_scale
from goodput.bench.report.style import INK, MISS, new_figure
from goodput.bench.scales import judge_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SCALES = [2 ** (step / 12) for step in range(-48, 25)]  # 1/16 to 4, twelve to a doubling
_MOST_LINES = 6
_MOST_BANDS = 3


def draw_over_scales(groups: Sequence[Group], target: float) -> Figure:
    """One line a group, with its 95 % band: the same records judged by scaled bounds."""
    figure = new_figure(3.6)
    axes = figure.subplots()
    shown = spread(groups, _MOST_LINES)
    for group, style in zip(shown, group_lines(shown), strict=True):
        points = judge_at(group.records, _SCALES)
        axes.plot(_SCALES, [100 * point.attainment for point in points], label=group.label, **style)
        if len(shown) <= _MOST_BANDS:
            axes.fill_between(
                _SCALES,
                [100 * point.low for point in points],
                [100 * point.high for point in points],
                color=style["color"],
                alpha=0.12,
                lw=0,
            )
    axes.axhline(100 * target, color=MISS, lw=1.2, ls="--", label=f"target {target:.0%}")
    axes.axvline(1.0, color=INK, lw=0.9, ls=":", label="the SLO as stated")
    log_scale(axes.xaxis)
    # The paper's direction: to the right the promise gets tighter.
    axes.set_xlim(_SCALES[-1], _SCALES[0])
    axes.set(ylim=(0, 103), ylabel="attainment, %", xlabel="SLO scale (every bound times this)")
    figure.legend(loc="outside right upper")
    return figure
