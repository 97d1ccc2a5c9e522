"""Where the requests that missed lost their time: one bar a group, a colour a cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goodput.bench.report.causes import COLOURS, cause_in_words
from goodput.bench.report.groups import Group
from goodput.bench.report.style import INK, MISS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_misses(groups: Sequence[Group], target: float) -> Figure:
    """Bars as long as the share of requests that missed, with the share that may miss marked."""
    figure = new_figure(1.5 + 0.32 * len(groups))
    axes = figure.subplots()
    left = [0.0] * len(groups)
    present = {cause for group in groups for cause in group.blame}
    for cause in [*COLOURS, *sorted(present - set(COLOURS))]:
        if cause not in present:
            continue
        lengths = [100 * group.blame[cause] / len(group.records) for group in groups]
        axes.barh(
            range(len(groups)),
            lengths,
            left=left,
            height=0.7,
            color=COLOURS.get(cause, INK),
            lw=0,
            label=cause_in_words(cause),
        )
        left = [at + length for at, length in zip(left, lengths, strict=True)]
    longest = max(left)
    for row, (group, at) in enumerate(zip(groups, left, strict=True)):
        missed = len(group.records) - group.met
        axes.text(
            at + 0.008 * max(longest, 1.0),
            row,
            f"{missed} of {len(group.records)}",
            va="center",
            fontsize=9,
        )
    axes.axvline(
        100 * (1 - target), color=MISS, lw=1.2, ls="--", label=f"{1 - target:.0%} may miss"
    )
    axes.set_yticks(range(len(groups)), [group.label for group in groups])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(1.13 * longest, 120 * (1 - target), 1.0))
    axes.set_xlabel("requests that missed, % of those scheduled")
    figure.legend(loc="outside right upper")
    return figure
