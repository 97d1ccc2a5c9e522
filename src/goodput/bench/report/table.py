"""The run as tables in the terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from goodput.bench.summary import BenchSummary, StepSummary
from goodput.core.goodput import WindowSummary
from goodput.core.percentiles import Percentiles

_CAUSES = {
    "client": "sent late by the client",
    "outside": "outside the server's spans",
    "cut_off": "cut off at the end",
    "never_sent": "never sent",
    "no_token": "no token in the answer",
    "error": "errors",
    "timeout": "timeouts",
}


def print_tables(summary: BenchSummary, console: Console) -> None:
    """Print the figures of a run; an invalid run says so in its first line."""
    for reason in summary.invalid_reasons():
        console.print(f"INVALID: {reason}", style="bold red", markup=False, soft_wrap=True)
    if not summary.steps:
        return
    slo = summary.steps[0].figures.slo
    console.print(
        f"{summary.model} at {summary.url}, workload {summary.workload}, SLO {slo}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    console.print(_rates(summary))
    console.print(_latencies(summary))
    for step in summary.steps:
        for line in _notes(step, name_rate=len(summary.steps) > 1):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if summary.valid:
        console.print(_verdict(summary), style="green", highlight=False, soft_wrap=True)


def _rates(summary: BenchSummary) -> Table:
    table = Table("req/s", "offered", "sent", "met", "attainment (95 % CI)")
    table.add_column("goodput", justify="right", style="bold")
    table.add_column("tok/s", justify="right")
    for column in table.columns[:4]:
        column.justify = "right"
    for step in summary.steps:
        figures = step.figures
        table.add_row(
            f"{figures.rate:g}",
            f"{figures.offered_rate:.2f}",
            f"{figures.achieved_rate:.2f}",
            f"{figures.met}/{figures.scheduled}",
            _attainment(figures),
            f"{figures.goodput:.2f}",
            f"{figures.token_goodput:.1f}",
        )
    return table


def _attainment(figures: WindowSummary) -> str:
    if figures.attainment is None:
        return "–"
    style = "green" if figures.attainment >= figures.slo.target else "red"
    low, high = figures.attainment_low, figures.attainment_high
    return f"[{style}]{figures.attainment:.1%}[/] ({low:.0%}–{high:.0%})"


def _latencies(summary: BenchSummary) -> Table:
    """p50, p90 and p99 in milliseconds; a column for each figure, three rows a rate."""
    columns: dict[str, Callable[[WindowSummary], Percentiles | None]] = {
        "TTFT": lambda figures: figures.ttft,
        "from sent": lambda figures: figures.ttft_from_sent,
        "TPOT": lambda figures: figures.tpot,
        "ITL": lambda figures: figures.itl,
        "E2E": lambda figures: figures.e2e,
    }
    if any(step.figures.handoff for step in summary.steps):
        columns["hand-off"] = lambda figures: figures.handoff
    table = Table("req/s", "ms")
    table.columns[0].justify = "right"
    for name in columns:
        table.add_column(name, justify="right")
    for step in summary.steps:
        for quantile in ("p50", "p90", "p99"):
            cells = [_milliseconds(read(step.figures), quantile) for read in columns.values()]
            rate = f"{step.figures.rate:g}" if quantile == "p50" else ""
            table.add_row(rate, quantile, *cells, end_section=quantile == "p99")
    return table


def _milliseconds(figure: Percentiles | None, quantile: str) -> str:
    if figure is None:
        return "–"
    value = float(getattr(figure, quantile)) * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _notes(step: StepSummary, *, name_rate: bool) -> list[str]:
    figures = step.figures
    lines = []
    if figures.blame:
        causes = ", ".join(
            f"{_CAUSES.get(cause, cause.replace('_', ' '))} {count}"
            for cause, count in figures.blame.items()
        )
        lines.append(f"misses lost their time in: {causes}")
    if figures.rejected:
        lines.append(f"rejected by the server: {figures.rejected}")
    if figures.prompt_tokens and figures.cached_tokens:
        share = figures.cached_tokens / figures.prompt_tokens
        lines.append(f"prompt tokens from the server's prefix cache: {share:.0%}")
    if figures.token_sources.get("chunks"):
        lines.append("tokens were counted by chunks: the server reports no usage")
    if not step.drained:
        lines.append(f"not all requests ended within {step.drain_s:g} s after the window")
    return [f"at {figures.rate:g} req/s {line}" for line in lines] if name_rate else lines


def _verdict(summary: BenchSummary) -> str:
    late = max((step.figures.late.p99 for step in summary.steps if step.figures.late), default=0.0)
    cpu = max(step.client_cpu_share for step in summary.steps)
    return (
        f"Valid run: requests left {late * 1e3:.1f} ms late (p99); "
        f"the client used {cpu:.0%} of a core."
    )
