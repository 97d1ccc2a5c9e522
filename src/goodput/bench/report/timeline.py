"""Every request as a bar over time, coloured by where its time went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from goodput.bench.report.causes import COLOURS as CAUSES
from goodput.bench.report.groups import target_of
from goodput.bench.report.over_time import last_moment
from goodput.bench.report.style import INK, MISS, new_figure
from goodput.bench.summary import BenchSummary, StepSummary
from goodput.core.record import RequestRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_ROWS = 200
_MAX_PANELS = 3

_COLOURS = {
    "client": CAUSES["client"],
    "outside, frontend": CAUSES["frontend"],
    "queued for prefill": CAUSES["queued_prefill"],
    "prefill": CAUSES["prefill"],
    "hand-off": CAUSES["transfer"],
    "queued for decode": CAUSES["queued_decode"],
    "decode": CAUSES["decode"],
    "before first token": CAUSES["before_first_token"],
    "after first token": CAUSES["after_first_token"],
}

Segment = tuple[str, float, float]


def segments(record: RequestRecord, until: float) -> list[Segment]:
    """``(name, start, length)`` in seconds, in order; an unfinished request lasts ``until``.

    The server's spans are laid against the first token as the client saw it: those before end
    there, those after start there; what is left on both sides is the network and the frontend.
    """
    if record.sent is None:
        return [("client", record.scheduled, max(0.0, until - record.scheduled))]
    end = record.end if record.end is not None else until
    bars: list[Segment] = [("client", record.scheduled, record.sent - record.scheduled)]
    first = record.first_token
    if first is None:
        return [*bars, ("before first token", record.sent, end - record.sent)]
    spans = record.spans
    if spans is None:
        last = record.last_token or first
        return [
            *bars,
            ("before first token", record.sent, first - record.sent),
            ("after first token", first, last - first),
            ("outside, frontend", last, end - last),
        ]
    prefill = max(record.sent, first - spans.prefill)
    queued = max(record.sent, prefill - spans.queued_prefill)
    bars += [
        ("outside, frontend", record.sent, queued - record.sent),
        ("queued for prefill", queued, prefill - queued),
        ("prefill", prefill, first - prefill),
    ]
    at = first
    for name, length in (
        ("hand-off", spans.handoff),
        ("queued for decode", spans.queued_decode),
        ("decode", spans.decode),
    ):
        length = min(length, max(0.0, end - at))
        bars.append((name, at, length))
        at += length
    return [*bars, ("outside, frontend", at, end - at)]


def telling_steps(summary: BenchSummary, target: float) -> list[StepSummary]:
    """Of many steps those whose attainment is nearest to the target, in time order."""
    near = sorted(
        summary.steps,
        key=lambda step: (abs((step.figures.attainment or 0.0) - target), -step.figures.rate),
    )[:_MAX_PANELS]
    return sorted(near, key=lambda step: step.first_record)


def worst_stretch(
    step: StepSummary, records: Sequence[RequestRecord], most: int
) -> list[RequestRecord]:
    """By scheduled time, the ``most`` neighbours with the most measured misses.

    Of equals the one that begins nearest to where the measuring begins.
    """
    ordered = sorted(records, key=lambda record: record.scheduled)
    if len(ordered) <= most:
        return ordered
    window = step.figures.window
    first = sum(record.scheduled < window.start for record in ordered)
    missed = [
        int(window.start <= record.scheduled < window.end and not record.met())
        for record in ordered
    ]
    sums = list(accumulate(missed, initial=0))
    starts = range(len(ordered) - most + 1)
    best = max(starts, key=lambda at: (sums[at + most] - sums[at], -abs(at - first)))
    return ordered[best : best + most]


def draw_timeline(summary: BenchSummary, records: Sequence[RequestRecord]) -> Figure:
    """A panel a step: its requests, or the worst stretch of them, by their scheduled times."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    steps = telling_steps(summary, target_of(summary))
    most = MAX_ROWS // max(1, len(steps))
    shown = [worst_stretch(step, step.of(records), most) for step in steps]
    heights = [max(0.9, 0.05 * len(rows)) for rows in shown]
    figure = new_figure(sum(heights) + 0.75 * len(steps) + 0.7)
    panels = figure.subplots(len(steps), 1, squeeze=False, height_ratios=heights)[:, 0]
    used: set[str] = set()
    marks: set[str] = set()
    for axes, step, rows in zip(panels, steps, shown, strict=True):
        used |= _draw_bars(axes, step, rows)
        marks |= _mark_misses(axes, step, rows)
        _finish_panel(axes, step, rows)
    panels[-1].set_xlabel("seconds since the step's start (shaded: not measured)")
    handles: list[Any] = [
        Patch(color=_COLOURS[name], label=name) for name in _COLOURS if name in used
    ]
    handles += [
        Line2D([], [], color=MISS, ls="", marker=_MARKS[label], mfc="none", label=label)
        for label in _MARKS
        if label in marks
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


_MARKS = {"missed its SLO": "x", "failed": "s"}


def _start(step: StepSummary) -> float:
    return step.figures.window.start - step.warmup_s


def _draw_bars(axes: Any, step: StepSummary, rows: Sequence[RequestRecord]) -> set[str]:
    """The bars of one panel; the names of the segments that can be seen."""
    from matplotlib.collections import PolyCollection

    until = max((last_moment(record) for record in rows), default=0.0)
    bars: dict[str, list[list[tuple[float, float]]]] = {}
    for row, record in enumerate(rows):
        low, high = row - 0.41, row + 0.41
        for name, start, length in segments(record, until):
            if length > 0:
                left = start - _start(step)
                right = left + length
                corners = [(left, low), (left, high), (right, high), (right, low)]
                bars.setdefault(name, []).append(corners)
    for name, shapes in bars.items():
        # One collection a colour, and pixels inside the page's SVG: quick to draw and to show.
        axes.add_collection(PolyCollection(shapes, facecolor=_COLOURS[name], lw=0, rasterized=True))
    return set(bars)


def _mark_misses(axes: Any, step: StepSummary, rows: Sequence[RequestRecord]) -> set[str]:
    """A mark behind each measured request that missed or failed; the labels that were used."""
    points: dict[str, list[tuple[float, int]]] = {}
    window = step.figures.window
    for row, record in enumerate(rows):
        if window.start <= record.scheduled < window.end and not record.met():
            label = "missed its SLO" if record.status == "ok" else "failed"
            points.setdefault(label, []).append((last_moment(record) - _start(step), row))
    for label, marks in points.items():
        axes.plot(
            [at for at, _ in marks],
            [row for _, row in marks],
            _MARKS[label],
            color=MISS,
            markersize=4,
            mfc="none",
            clip_on=False,
        )
    return set(points)


def _finish_panel(axes: Any, step: StepSummary, rows: Sequence[RequestRecord]) -> None:
    figures = step.figures
    end = max((last_moment(record) - _start(step) for record in rows), default=1.0)
    measured = figures.window.end - _start(step)
    axes.axvspan(0, step.warmup_s, color=INK, alpha=0.07, lw=0, zorder=0)
    if end > measured:
        axes.axvspan(measured, end * 1.02, color=INK, alpha=0.07, lw=0, zorder=0)
    left = 0.0 if len(rows) == step.record_count else rows[0].scheduled - _start(step)
    axes.set_xlim(left, left + max(1.02 * (end - left), 0.1))
    axes.set_ylim(max(len(rows), 8) - 0.4, -0.6)
    axes.set_yticks([])
    axes.grid(axis="y", visible=False)
    share = "nothing measured" if figures.attainment is None else f"{figures.attainment:.0%} met"
    good = "goodput" if step.concurrency is None else "met"
    part = (
        "" if len(rows) == step.record_count else f"; {len(rows)} of {step.record_count} requests"
    )
    axes.set_title(f"{step.label}: {share}, {good} {figures.goodput:.2f} req/s{part}")
    axes.set_ylabel("requests")
