"""Runs a tournament in the terminal: its own event loop, a progress bar, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from goodput.arena.tournament.config import Config
from goodput.arena.tournament.crew import Crew, Tally, Watch
from goodput.bench.run.loop import new_loop


def run_in_foreground(config: Config, messages: Console) -> tuple[Crew, bool]:
    """Play to the end or to a Ctrl-C; the crew with its episodes, and whether it was stopped."""
    with (
        _progress(messages, shown=not config.has_human) as watch,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        crew = Crew(config, watch)
        crew.recall()
        watch(crew.tally)
        return crew, runner.run(_stopped(crew))


async def _stopped(crew: Crew) -> bool:
    """Play; whether a Ctrl-C ended it. The episodes at play end with it, in order."""
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(crew.play())
    loop.add_signal_handler(signal.SIGINT, playing.cancel)
    try:
        await asyncio.wait([playing])
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if playing.cancelled():
        return True
    playing.result()
    return False


@contextmanager
def _progress(console: Console, *, shown: bool) -> Iterator[Watch]:
    """A bar of episodes on a terminal, with the moves that show that one goes on."""
    columns = (
        TextColumn("episodes"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as bar:
        task = bar.add_task("", total=None)

        def show(tally: Tally) -> None:
            bar.update(
                task,
                total=tally.total,
                completed=tally.total - tally.missing,
                description=f"{tally.moves:,} moves · {tally.latest}",
            )

        yield show
