"""The tables of a run, once: the terminal and the page show the same cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from goodput.bench.report.ratios import figure_in_words
from goodput.bench.summary import BenchSummary, StepSummary
from goodput.core.goodput import WindowSummary
from goodput.core.percentiles import Percentiles

QUANTILES = ("p50", "p90", "p99")


@dataclass(frozen=True, slots=True)
class Cell:
    """``key`` is what a table is sorted by; None sorts as text."""

    text: str
    key: float | None = None
    style: Literal["", "text", "good", "bad"] = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """``section`` rows belong together; they have the same first cells."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    section: int = 1
    note: str = ""


def rates_grid(summary: BenchSummary) -> Grid:
    """A row a step: what was offered and what of it was good."""
    last = "met/s" if summary.closed_loop else "goodput"
    columns = ["offered", "sent", "met", "attainment (95 % CI)", last, "tok/s"]
    rows = [
        [
            *_step_cells(summary, step),
            number(figures.offered_rate, "{:.2f}"),
            number(figures.achieved_rate, "{:.2f}"),
            Cell(f"{figures.met}/{figures.scheduled}", figures.met),
            attainment_cell(figures),
            number(figures.goodput, "{:.2f}"),
            number(figures.token_goodput, "{:.1f}"),
        ]
        for step in summary.steps
        for figures in (step.figures,)
    ]
    note = (
        "A closed loop: its users wait for their answers, so a slow server is offered less. "
        "The figures are no goodput of the system."
    )
    return Grid(
        title="Steps",
        columns=[*_step_columns(summary), *columns],
        rows=rows,
        note=note if summary.closed_loop else "",
    )


def latency_grid(summary: BenchSummary) -> Grid:
    """Milliseconds: a column a figure, three rows a step."""
    columns: dict[str, Callable[[WindowSummary], Percentiles | None]] = {
        "TTFT": lambda figures: figures.ttft,
        "from sent": lambda figures: figures.ttft_from_sent,
        "TPOT": lambda figures: figures.tpot,
        "ITL": lambda figures: figures.itl,
        "E2E": lambda figures: figures.e2e,
    }
    if any(step.figures.handoff for step in summary.steps):
        columns["hand-off"] = lambda figures: figures.handoff
    rows = [
        [
            *_step_cells(summary, step),
            Cell(quantile, style="text"),
            *(milliseconds(read(step.figures), quantile) for read in columns.values()),
        ]
        for step in summary.steps
        for quantile in QUANTILES
    ]
    return Grid(
        title="Latencies, ms",
        columns=[*_step_columns(summary), "ms", *columns],
        rows=rows,
        section=len(QUANTILES),
    )


def kinds_grid(summary: BenchSummary) -> Grid | None:
    """A row a step and kind of request, where there are several kinds."""
    rows = [
        [
            *_step_cells(summary, step),
            Cell(kind, style="text"),
            Cell(f"{figures.met}/{figures.scheduled}", figures.met),
            share(
                figures.attainment,
                figures.attainment_low,
                figures.attainment_high,
                None if figures.slo is None else figures.slo.target,
            ),
            *(milliseconds(read, "p90") for read in (figures.ttft, figures.tpot, figures.e2e)),
            Cell("each its own" if figures.slo is None else str(figures.slo), style="text"),
        ]
        for step in summary.steps
        for kind, figures in step.figures.by_kind.items()
    ]
    columns = ["kind", "met", "attainment (95 % CI)", "TTFT p90", "TPOT p90", "E2E p90", "SLO"]
    return Grid("Kinds of requests", [*_step_columns(summary), *columns], rows) if rows else None


def judged_grid(summary: BenchSummary) -> Grid | None:
    """What a search judged: a row a rate."""
    search = summary.search
    if search is None or not search.judged:
        return None
    rows = [
        [
            number(judged.rate, "{:.4g}"),
            Cell(f"{judged.met}/{judged.trials}", judged.met),
            share(judged.attainment, judged.low, judged.high, search.target),
        ]
        for judged in sorted(search.judged, key=lambda judged: judged.rate)
    ]
    return Grid("Judged rates", ["req/s", "met", "attainment (95 % CI)"], rows)


def scales_grid(summary: BenchSummary) -> Grid | None:
    """What a sweep found over SLO scales: a row a scale."""
    sweep = summary.sweep
    if sweep is None or not sweep.scales:
        return None
    rows = [
        [
            number(point.scale, "{:.3g}"),
            Cell(f"{point.met}/{point.trials}", point.met),
            share(point.attainment, point.low, point.high, sweep.target),
        ]
        for point in sweep.scales
    ]
    title = f"SLO scales at {sweep.rate:.4g} req/s"
    return Grid(title, ["scale", "met", "attainment (95 % CI)"], rows)


def ratios_grid(summary: BenchSummary) -> Grid | None:
    """A comparison: a row a figure and endpoint; green and red where the interval leaves 1 out."""
    compare = summary.compare
    if compare is None:
        return None
    rows = []
    for ratio in compare.ratios:
        style: Literal["", "good", "bad"] = ""
        if ratio.low is not None and ratio.high is not None and not ratio.low <= 1 <= ratio.high:
            style = "good" if (ratio.low > 1) == (ratio.better == "higher") else "bad"
        interval = f" ({_plain(ratio.low)}–{_plain(ratio.high)})" if ratio.low is not None else ""
        rows.append(
            [
                Cell(figure_in_words(ratio.figure), style="text"),
                Cell(ratio.name, style="text"),
                _figure(ratio.figure, ratio.own),
                _figure(ratio.figure, ratio.base),
                Cell(f"{_plain(ratio.value)}×{interval}", ratio.value, style),
            ]
        )
    columns = [
        "figure",
        "endpoint",
        "its own",
        compare.baseline,
        f"ratio ({compare.confidence:.0%} CI)",
    ]
    return Grid(f"Beside {compare.baseline}", columns, rows)


def number(value: float, form: str) -> Cell:
    """A number that sorts as one."""
    return Cell(form.format(value), value)


def milliseconds(figure: Percentiles | None, quantile: str) -> Cell:
    """One percentile with three digits or so."""
    if figure is None:
        return Cell("–", -1.0)
    value = float(getattr(figure, quantile)) * 1e3
    return Cell(_short(value), value)


def attainment_cell(figures: WindowSummary) -> Cell:
    """A window's attainment, judged by its target."""
    if figures.attainment is None:
        return Cell("–", -1.0)
    return share(
        figures.attainment, figures.attainment_low, figures.attainment_high, figures.target
    )


def share(value: float, low: float, high: float, target: float | None) -> Cell:
    """A share with its interval, good or bad by the target."""
    style: Literal["", "good", "bad"] = ""
    if target is not None:
        style = "good" if value >= target else "bad"
    return Cell(f"{value:.1%} ({low:.0%}–{high:.0%})", value, style)


def _step_columns(summary: BenchSummary) -> list[str]:
    first = "users" if summary.closed_loop else "req/s"
    return ["endpoint", first] if len(summary.endpoints) > 1 else [first]


def _step_cells(summary: BenchSummary, step: StepSummary) -> list[Cell]:
    load = step.figures.rate if step.concurrency is None else step.concurrency
    cells = [number(load, "{:.4g}")]
    return [Cell(step.endpoint, style="text"), *cells] if len(summary.endpoints) > 1 else cells


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _figure(name: str, value: float | None) -> Cell:
    if value is None:
        return Cell("–", -1.0)
    if name.startswith("attainment"):
        return number(value, "{:.1%}")
    if name.startswith(("ttft", "tpot", "itl", "e2e")):
        return Cell(f"{_short(value * 1e3)} ms", value)
    return number(value, "{:.3g}")
