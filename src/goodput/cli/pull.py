"""``goodput pull``: get a model by name, with a progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def pull(
    name: Annotated[str, typer.Argument(help="A name from `goodput models`.")] = "smollm2:135m",
) -> None:
    """Get a model by name and print where it is.

    Goes on where an interrupted pull stopped, and returns at once when the model is there.
    """
    typer.echo(pull_with_progress(name))


def pull_with_progress(name: str) -> Path:
    """Resolve ``name`` (a catalog name or a path), pulling it with a bar on stderr if need be."""
    # Imported here so that `goodput --help` does not wait for NumPy.
    from goodput.models.catalog import resolve

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(name, total=None, visible=False)
        stage_shown = ""

        def show(stage: str, done: int, total: int) -> None:
            nonlocal stage_shown
            if stage != stage_shown:
                stage_shown = stage
                bar.reset(task, description=f"{name}: {stage}", total=total or None, visible=True)
                if not console.is_terminal:
                    typer.echo(f"{name}: {stage}", err=True)
            bar.update(task, completed=done)

        return resolve(name, pull=True, progress=show)
