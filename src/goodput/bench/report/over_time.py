"""Throughput over time: tokens a second, and requests in flight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from goodput.bench.report.style import INK, SERIES, new_figure
from goodput.bench.summary import BenchSummary
from goodput.core.record import RequestRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BINS = 240
_BINS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


def draw_over_time(summary: BenchSummary, records: Sequence[RequestRecord]) -> Figure:
    """Two panels over the run's clock; measured windows are white, all else is shaded."""
    figure = new_figure(4.2)
    tokens, flying = figure.subplots(2, 1, sharex=True)
    until = max((last_moment(record) for record in records), default=1.0)
    width = bin_width(until)
    for number, endpoint in enumerate(summary.endpoints):
        own = [
            record
            for step in summary.steps
            if step.endpoint == endpoint.name
            for record in step.of(records)
        ]
        style = {"color": SERIES[number % len(SERIES)], "label": endpoint.name or None, "lw": 1.1}
        counts = token_counts(own, width, until)
        edges = [width * index for index in range(len(counts) + 1)]
        tokens.stairs([count / width for count in counts], edges, **style)
        changes = in_flight(own)
        flying.step(
            [at for at, _ in changes], [count for _, count in changes], where="post", **style
        )
    for axes in (tokens, flying):
        shade_unmeasured(axes, summary, until)
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, until)
    tokens.set_ylabel("output tokens/s")
    tokens.set_title(f"counted in bins of {width:g} s", fontsize=9)
    flying.set_ylabel("requests in flight")
    flying.set_xlabel("seconds since the run's start (shaded: not measured)")
    if len(summary.endpoints) > 1:
        figure.legend(*tokens.get_legend_handles_labels(), loc="outside right upper")
    return figure


def last_moment(record: RequestRecord) -> float:
    """The latest stamp of a record."""
    stamps = (record.scheduled, record.sent, record.last_token, record.end)
    return max(stamp for stamp in stamps if stamp is not None)


def bin_width(until: float) -> float:
    """The narrowest round width (seconds) with which the run fits into the picture."""
    return next((width for width in _BINS_S if until / width <= _MOST_BINS), until / _MOST_BINS)


def token_counts(records: Sequence[RequestRecord], width: float, until: float) -> list[int]:
    """Tokens that were read in each bin of ``width`` seconds from 0 to ``until``."""
    counts = [0] * max(1, math.ceil(until / width))
    for record in records:
        for stamp in record.token_times:
            counts[min(int(stamp.time / width), len(counts) - 1)] += stamp.count
    return counts


def in_flight(records: Sequence[RequestRecord]) -> list[tuple[float, int]]:
    """``(time, requests in flight from then on)`` at every change, from 0 at time 0.

    A request flies from its sending to its end, or to its last stamp where it has none.
    """
    changes = sorted(
        change
        for record in records
        if record.sent is not None
        for change in ((record.sent, 1), (last_moment(record), -1))
    )
    flying = 0
    steps = [(0.0, 0)]
    for at, change in changes:
        flying += change
        steps.append((at, flying))
    return steps


def shade_unmeasured(axes: Any, summary: BenchSummary, until: float) -> None:
    """Grey where no window is."""
    at = 0.0
    for window in sorted((step.figures.window for step in summary.steps), key=lambda w: w.start):
        if window.start > at:
            axes.axvspan(at, window.start, color=INK, alpha=0.07, lw=0)
        at = max(at, window.end)
    axes.axvspan(at, until, color=INK, alpha=0.07, lw=0)
