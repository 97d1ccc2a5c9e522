"""``goodput play report``: the page of a folder of episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goodput.core.errors import UsageError


def report(
    folder: Annotated[Path, typer.Argument(help="What --out of the other verbs wrote.")],
) -> None:
    """Make one HTML page of a run: the leaderboard, curves and replays; prints where it is."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from goodput.arena.report import write_report

    messages = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=messages, transient=True) as bars:
        task = bars.add_task("films", total=None)
        page = write_report(
            folder, lambda done, total: bars.update(task, completed=done, total=total)
        )
    typer.echo(page)
