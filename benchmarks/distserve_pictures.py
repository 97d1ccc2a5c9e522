"""The paper's figures with our curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from goodput.bench.report.style import GRID, SERIES, Picture, new_figure, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = Sequence[tuple[float, float]]


@dataclass(slots=True)
class Panel:
    """One experiment: attainment over an axis, a curve a system."""

    title: str
    curves: dict[str, Points] = field(default_factory=dict)


def over_rates(panels: Sequence[Panel]) -> Picture:
    """Attainment over the rate per GPU."""
    return picture(
        "distserve-rates",
        "Attainment over the rate per GPU",
        "Goodput is where a curve crosses the 90 % line.",
        lambda: _draw(panels, "requests per second and GPU", reverse=False),
    )


def over_scales(panels: Sequence[Panel]) -> Picture:
    """Attainment over the SLO scale, tighter to the right as in the paper."""
    return picture(
        "distserve-scales",
        "Attainment over the SLO scale",
        "All at the paper's rate per GPU; to the right the promise is tighter.",
        lambda: _draw(panels, "SLO scale", reverse=True),
    )


def placements(bars: Mapping[str, Mapping[str, float]]) -> Picture:
    """Goodput per GPU of each placement, a group of bars a case."""
    return picture(
        "distserve-placements",
        "Goodput per GPU by placement",
        "As a share of the best placement's.",
        lambda: _draw_bars(bars),
    )


def _draw(panels: Sequence[Panel], axis_label: str, *, reverse: bool) -> Figure:
    figure = new_figure(3.6, 3.6 * len(panels))
    axes: Any = figure.subplots(1, len(panels), squeeze=False)[0]
    colour = _colours([name for panel in panels for name in panel.curves])
    for axis, panel in zip(axes, panels, strict=True):
        for name, points in panel.curves.items():
            xs, ys = zip(*points, strict=True)
            axis.plot(xs, [100 * y for y in ys], label=name, color=colour[name])
        axis.axhline(90, color=GRID, linestyle="--", linewidth=1.2, zorder=0)
        axis.set(title=panel.title, xlabel=axis_label, ylim=(0, 104))
        if reverse:
            axis.invert_xaxis()
    axes[0].set_ylabel("attainment, %")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, ncols=len(names), loc="outside upper center")
    return figure


def _draw_bars(bars: Mapping[str, Mapping[str, float]]) -> Figure:
    figure = new_figure(3.6)
    axis: Any = figure.subplots()
    names = list(dict.fromkeys(name for case in bars.values() for name in case))
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        places = [place + width * index for place in range(len(bars))]
        heights = [case.get(name, 0.0) for case in bars.values()]
        drawn = axis.bar(places, heights, width, label=name, color=SERIES[index % len(SERIES)])
        axis.bar_label(drawn, fmt="%.2f", fontsize=7)
    axis.set_xticks([place + 0.4 - width / 2 for place in range(len(bars))], list(bars))
    axis.set_ylabel("goodput per GPU, share of the best")
    axis.set_ylim(0, 1.3)
    axis.legend(ncols=3, loc="upper left")
    return figure


def _colours(names: Sequence[str]) -> dict[str, str]:
    known = list(dict.fromkeys(names))
    return {name: SERIES[index % len(SERIES)] for index, name in enumerate(known)}
