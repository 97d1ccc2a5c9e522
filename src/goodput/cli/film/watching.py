"""A training run as bars in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_REMEMBERED = 0.98


class Bars:
    """Shows each stage as a bar with its running loss; see ``training.run.Watcher``."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._task = progress.add_task("", total=None, loss="")
        self._loss: float | None = None

    def stage(self, name: str, total: int, done: int) -> None:
        """A bar for the stage, in place of the last one."""
        self._progress.remove_task(self._task)
        self._loss = None
        self._task = self._progress.add_task(name, total=total, completed=done, loss="")

    def step(self, done: int, loss: float | None) -> None:
        """Move it."""
        if loss is not None:
            before = loss if self._loss is None else self._loss
            self._loss = _REMEMBERED * before + (1 - _REMEMBERED) * loss
        shown = "" if self._loss is None else f"loss {self._loss:.4f}"
        self._progress.update(self._task, completed=done, loss=shown)

    def said(self, line: str) -> None:
        """A line above it."""
        self._console.print(line, markup=False, soft_wrap=True)


@contextmanager
def watching() -> Iterator[Bars]:
    """Bars on stderr, until the block ends."""
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress, console)
