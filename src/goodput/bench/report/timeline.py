"""``timeline.png``: every request as a bar over time, coloured by where its time went."""

from __future__ import annotations

import io
from collections.abc import Sequence

from goodput.bench.summary import BenchSummary
from goodput.core.record import RequestRecord

MAX_ROWS = 300

# Okabe and Ito's colours: told apart by colour-blind readers too.
_COLOURS = {
    "client": "#999999",
    "outside, frontend": "#D9D9D9",
    "queued for prefill": "#E69F00",
    "prefill": "#D55E00",
    "hand-off": "#CC79A7",
    "queued for decode": "#F0E442",
    "decode": "#0072B2",
    "before first token": "#A65628",
    "after first token": "#56B4E9",
}
_MISS = "#B00020"

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


def draw_timeline(summary: BenchSummary, records: Sequence[RequestRecord]) -> bytes:
    """A PNG of the first ``MAX_ROWS`` requests; misses of measured requests are marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    shown = sorted(records, key=lambda record: record.scheduled)[:MAX_ROWS]
    until = max(
        [record.end or record.last_token or record.sent or record.scheduled for record in shown],
        default=0.0,
    )
    rows = max(len(shown), 10)
    figure = Figure(figsize=(13, min(2.2 + 0.11 * rows, 30)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    lengths: dict[str, list[tuple[int, float, float]]] = {}
    for row, record in enumerate(shown):
        for name, start, length in segments(record, until):
            lengths.setdefault(name, []).append((row, start, length))
    for name, bars in lengths.items():
        axes.barh(
            [row for row, _, _ in bars],
            [length for _, _, length in bars],
            left=[start for _, start, _ in bars],
            height=0.8,
            color=_COLOURS[name],
            linewidth=0,
        )
    used = [name for name in _COLOURS if any(length > 0 for _, _, length in lengths.get(name, []))]
    handles: list[object] = [Patch(color=_COLOURS[name], label=name) for name in used]
    handles += _mark_misses(axes, summary, shown, until)
    _mark_windows(axes, summary, rows)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xlim(left=0.0, right=max(until * 1.02, 0.1))
    axes.set_xlabel("seconds since the run's start (grey bands: not measured)")
    axes.set_ylabel("request, by scheduled time")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(_title(summary, len(shown), len(records)), loc="left", fontsize=10, pad=16)
    axes.legend(handles=handles, loc="lower left", fontsize=8, framealpha=0.9)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _mark_misses(
    axes: object, summary: BenchSummary, shown: Sequence[RequestRecord], until: float
) -> list[object]:
    """A cross behind each measured request that missed; a hollow square when it also failed."""
    late: list[tuple[float, int]] = []
    failed: list[tuple[float, int]] = []
    for row, record in enumerate(shown):
        for step in summary.steps:
            figures = step.figures
            if figures.window.start <= record.scheduled < figures.window.end:
                if not record.met(figures.slo):
                    end = record.end if record.end is not None else until
                    (late if record.status == "ok" else failed).append((end, row))
                break
    handles: list[object] = []
    for marks, marker, label in ((late, "x", "missed its SLO"), (failed, "s", "failed")):
        if marks:
            handles += axes.plot(  # type: ignore[attr-defined]
                [end for end, _ in marks],
                [row for _, row in marks],
                marker,
                color=_MISS,
                markersize=4.5,
                markerfacecolor="none",
                label=f"{label} ({len(marks)})",
                clip_on=False,
            )
    return handles


def _mark_windows(axes: object, summary: BenchSummary, rows: int) -> None:
    """Shade what is not measured, and write each window's rate and attainment above it."""
    at = 0.0
    for step in summary.steps:
        window, figures = step.figures.window, step.figures
        axes.axvspan(at, window.start, color="#000000", alpha=0.05, lw=0, zorder=0)  # type: ignore[attr-defined]
        share = "–" if figures.attainment is None else f"{figures.attainment:.0%}"
        axes.text(  # type: ignore[attr-defined]
            window.start,
            -0.7,
            f"{figures.rate:g} req/s: {share} met, goodput {figures.goodput:.2f}",
            fontsize=8,
            va="bottom",
        )
        at = window.end
    axes.axvspan(at, 1e9, color="#000000", alpha=0.05, lw=0, zorder=0)  # type: ignore[attr-defined]


def _title(summary: BenchSummary, shown: int, total: int) -> str:
    slo = f", SLO {summary.steps[0].figures.slo}" if summary.steps else ""
    part = f" (the first {shown} of {total} requests)" if shown < total else ""
    verdict = "" if summary.valid else "INVALID RUN: "
    return f"{verdict}{summary.model}, {summary.workload}{slo}{part}"
