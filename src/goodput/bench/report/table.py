"""The run as tables in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from goodput.bench.report.grids import (
    Cell,
    Grid,
    judged_grid,
    kinds_grid,
    latency_grid,
    rates_grid,
    ratios_grid,
    scales_grid,
)
from goodput.bench.report.notes import conclusions, promise, step_notes, verdict
from goodput.bench.summary import BenchSummary

_STYLES = {"good": "green", "bad": "red"}
# A search or comparison has many steps; in the terminal its result stands for them.
_MOST_STEPS = 6


def print_tables(summary: BenchSummary, console: Console) -> None:
    """Print the figures of a run; an invalid run says so in its first line."""
    for reason in summary.invalid_reasons():
        console.print(f"INVALID: {reason}", style="bold red", markup=False, soft_wrap=True)
    if not summary.steps:
        return
    _say(console, f"{summary.model} at {summary.url}, {summary.load}, SLO {promise(summary)}")
    found = [ratios_grid(summary), judged_grid(summary), scales_grid(summary)]
    steps: list[Grid | None] = [rates_grid(summary), kinds_grid(summary), latency_grid(summary)]
    many = len(summary.steps) > _MOST_STEPS and any(found)
    for grid in found if many else [*steps, *found]:
        if grid is not None:
            console.print(_table(grid))
            if grid.note:
                _say(console, grid.note)
    if not many:
        for line in step_notes(summary):
            _say(console, line)
    for words in conclusions(summary):
        console.print(words, style="bold", markup=False, highlight=False, soft_wrap=True)
    if summary.valid:
        console.print(verdict(summary), style="green", highlight=False, soft_wrap=True)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(grid: Grid) -> Table:
    table = Table()
    for name, cell in zip(grid.columns, grid.rows[0], strict=True):
        justify = "left" if cell.style == "text" else "right"
        table.add_column(
            name,
            justify=justify,  # type: ignore[arg-type]
            style="bold" if name == "goodput" else "",
        )
    for index, row in enumerate(grid.rows):
        first = index % grid.section == 0
        # The cells before the one that tells the rows of a section apart are said once.
        repeated = 0 if first else _same(grid.rows[index - 1], row)
        texts = [
            Text("" if i < repeated else c.text, _STYLES.get(c.style, ""))
            for i, c in enumerate(row)
        ]
        table.add_row(*texts, end_section=grid.section > 1 and (index + 1) % grid.section == 0)
    return table


def _same(above: list[Cell], row: list[Cell]) -> int:
    """How many cells from the left are equal."""
    count = 0
    for old, new in zip(above, row, strict=True):
        if old != new:
            break
        count += 1
    return count
