"""``goodput play tournament``: what a file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goodput.cli.play.options import PlayOptions
from goodput.cli.shared_options import with_options


@with_options(PlayOptions)
def tournament(
    file: Annotated[Path, typer.Argument(help="The tournament, in TOML.")],
    *,
    options: PlayOptions,
) -> None:
    """Play what a file describes; options given here override it.

    Its fields are games, players, seeds (or episodes and seed), clocks, slow_downs, and the options
    below by their names; a player may be a table with settings of its own, like
    {player = "openai:m@URL", harness = ["memory"]}.
    """
    from goodput.arena.tournament.config import resolve
    from goodput.arena.tournament.wishes import read_wishes
    from goodput.cli.play.perform import perform

    perform(resolve(options.wishes(), read_wishes(file), name=file.stem), json=options.json)
