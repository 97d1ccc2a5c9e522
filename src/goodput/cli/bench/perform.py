"""What every loading verb does around its work: check, run, write, print, exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from goodput.bench.run.foreground import Work
    from goodput.bench.run.ledger import Ledger
    from goodput.cli.bench.options import LoadOptions


def perform(work: Work, options: LoadOptions) -> None:
    """Run ``work`` in the terminal, write and print what it found.

    Exits with 130 when the user stopped it, after all was written.
    """
    from rich.console import Console

    from goodput.bench.report.files import check_folder, write_report
    from goodput.bench.report.table import print_tables
    from goodput.bench.run.foreground import run_in_foreground

    if options.out is not None:
        check_folder(options.out)
    messages = Console(stderr=True, highlight=False)
    ledger: Ledger = run_in_foreground(work, messages)
    # Files first: a reader of the tables that goes away (`… | head`) must not cost the results.
    if options.out is not None:
        write_report(options.out, ledger.summary, ledger.records)
        messages.print(
            f"wrote {options.out / 'report.html'}, records.jsonl, summary.json and pictures",
            markup=False,
            soft_wrap=True,
        )
    if options.json:
        typer.echo(ledger.summary.to_json(), nl=False)
    else:
        print_tables(ledger.summary, Console())
    if ledger.summary.interrupted:
        raise typer.Exit(130)
