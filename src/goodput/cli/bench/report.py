"""``goodput bench report``: the page and the pictures of a run that is over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="What --out of the other verbs wrote.")],
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON only.")] = False,
) -> None:
    """Make report.html and the pictures again, from records.jsonl and summary.json alone."""
    from rich.console import Console

    from goodput.bench.report.files import PAGE, remake_report
    from goodput.bench.report.table import print_tables

    summary = remake_report(folder)
    Console(stderr=True, highlight=False).print(
        f"wrote {folder / PAGE} and its pictures", markup=False, soft_wrap=True
    )
    if json:
        typer.echo(summary.to_json(), nl=False)
    else:
        print_tables(summary, Console())
