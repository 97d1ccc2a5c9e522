"""The answer in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from goodput.plan.report.words import conclusions, headline, pruning
from goodput.plan.search.answer import PlanAnswer, PlanRow

_NUMBERS = ("of", "goodput (95 % interval)", "each")


def print_answer(answer: PlanAnswer, console: Console) -> None:
    """Print what was asked, the best plans, and what they mean."""
    _say(console, headline(answer))
    if answer.plans:
        console.print(_table(answer))
    first, *rest = conclusions(answer)
    console.print(first, style="bold", markup=False, highlight=False, soft_wrap=True)
    for line in rest:
        _say(console, line)
    _say(console, pruning(answer))


def _table(answer: PlanAnswer) -> Table:
    table = Table()
    for name in ("plan", "kind", *_NUMBERS, "bound by"):
        numeric = name in _NUMBERS
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in answer.plans:
        table.add_row(*_cells(row), style="bold" if row is answer.best else "")
    return table


def _cells(row: PlanRow) -> list[str]:
    return [
        row.label,
        row.kind,
        str(row.accelerators),
        f"{row.goodput:.3g} ({row.low:.3g}–{row.high:.3g})",
        f"{row.per_accelerator:.3g}",
        row.constraint,
    ]


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
