"""What the verbs that play do around it: say what is played, play, print, exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from goodput.arena.tournament.config import Config

_INTERRUPTED = 130


def perform(config: Config, *, json: bool) -> None:
    """Play ``config`` in the terminal and print what came of it.

    Exits with 130 when the user stopped it; what was played by then is kept and printed.
    """
    from rich.console import Console

    from goodput.arena.tournament.foreground import run_in_foreground
    from goodput.cli.play.results import results_json, results_tables

    messages = Console(stderr=True, highlight=False)
    messages.print(config.words(), markup=False, soft_wrap=True)
    config.store()
    crew, stopped = run_in_foreground(config, messages)
    tally = crew.tally
    kept = f", {tally.kept} were there" if tally.kept else ""
    left = f", {tally.missing} to go: the same command goes on" if stopped else ""
    messages.print(
        f"{tally.played} episodes played{kept}{left}; all are in {config.out}",
        markup=False,
        soft_wrap=True,
    )
    if json:
        typer.echo(results_json(config, crew, stopped=stopped))
    else:
        Console(highlight=False).print(*results_tables(crew.episodes), sep="\n", end="")
    if stopped:
        raise typer.Exit(_INTERRUPTED)
