"""Endpoints side by side: each figure as a ratio to the baseline's, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goodput.bench.report.lines import log_scale
from goodput.bench.report.style import INK, SERIES, new_figure
from goodput.bench.results import CompareResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_ratios(compare: CompareResult) -> Figure:
    """A row a figure, a colour an endpoint (the baseline has the first); logarithmic."""
    known = [ratio for ratio in compare.ratios if ratio.value is not None and ratio.value > 0]
    figures = list(dict.fromkeys(ratio.figure for ratio in known))
    others = [name for name in compare.names if name != compare.baseline]
    figure = new_figure(1.3 + (0.3 + 0.12 * len(others)) * max(1, len(figures)))
    axes = figure.subplots()
    axes.axvline(1.0, color=INK, lw=1.1)
    for number, name in enumerate(others, start=1):
        for ratio in known:
            if ratio.name != name or ratio.value is None:
                continue
            row = figures.index(ratio.figure) + 0.16 * (number - (len(others) + 1) / 2)
            low, high = ratio.low or ratio.value, ratio.high or ratio.value
            axes.errorbar(
                ratio.value,
                row,
                xerr=[[max(0.0, ratio.value - low)], [max(0.0, high - ratio.value)]],
                fmt="o",
                markersize=5,
                capsize=3,
                color=SERIES[number % len(SERIES)],
                label=name,
            )
    better = {ratio.figure: "→" if ratio.better == "higher" else "←" for ratio in known}
    labels = [f"{figure_in_words(name)} {better[name]}" for name in figures]
    axes.set_yticks(range(len(figures)), labels)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    log_scale(axes.xaxis)
    axes.set_xlabel(
        f"relative to {compare.baseline}, with {compare.confidence:.0%} intervals "
        "(the arrow points to better)"
    )
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    figure.legend(unique.values(), unique.keys(), loc="outside right upper")
    return figure


def figure_in_words(figure: str) -> str:
    """``TTFT p50`` of ``ttft_p50``; others as they are."""
    name, _, quantile = figure.partition("_")
    return f"{name.upper()} {quantile}" if quantile.startswith("p") else figure.replace("_", " ")
