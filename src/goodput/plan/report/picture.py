"""Goodput per accelerator against the SLO scale: what a tighter or looser promise costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goodput.bench.report.style import INK, SERIES, Picture, new_figure, picture
from goodput.plan.search.answer import PlanAnswer, PlanRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLE = "Goodput per accelerator over the SLO scale"
_CAPTION = (
    "The best plan of each kind, judged by tighter promises (to the right) and looser ones (to the "
    "left). The upper edge is the Pareto front: no plan found is better in both."
)


def draw_pareto(answer: PlanAnswer) -> Picture | None:
    """The picture ``pareto``; None when no plan was found."""
    rows = [row for row in answer.plans if row.scales]
    if not rows:
        return None
    return picture("pareto", _TITLE, _CAPTION, lambda: _draw(rows))


def _draw(rows: list[PlanRow]) -> Figure:
    figure = new_figure(3.8)
    axes = figure.subplots()
    fronts: dict[float, float] = {}
    for number, row in enumerate(rows):
        scales = [point.scale for point in row.scales]
        heights = [point.goodput / row.accelerators for point in row.scales]
        for scale, height in zip(scales, heights, strict=True):
            fronts[scale] = max(fronts.get(scale, 0.0), height)
        colour = SERIES[number % len(SERIES)]
        axes.plot(
            scales, heights, marker="o", ms=4, color=colour, label=f"{row.label} ({row.kind})"
        )
    ordered = sorted(fronts)
    axes.plot(
        ordered,
        [fronts[scale] for scale in ordered],
        color=INK,
        lw=6,
        alpha=0.12,
        zorder=0,
        label="Pareto front",
    )
    axes.axvline(1.0, color=INK, lw=0.9, ls=":", label="the SLO as stated")
    axes.set(
        xlim=(max(ordered) * 1.03, min(ordered) * 0.9),
        xlabel="SLO scale (every bound times this)",
        ylabel="goodput per accelerator, req/s",
    )
    axes.set_ylim(bottom=0)
    axes.legend(loc="best")
    return figure
