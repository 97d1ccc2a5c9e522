"""``goodput play GAME``: everybody at one game."""

from __future__ import annotations

import typer

from goodput.cli.play.options import PlayOptions
from goodput.cli.shared_options import with_options


@with_options(PlayOptions)
def game(ctx: typer.Context, *, options: PlayOptions) -> None:
    """Play a game: alone on the same seeds, or, where it is for two, every pair with seats swapped.

    Thinking costs game time (--clock). Ends with a table by player; the episodes can be watched
    with `goodput play replay` and made a page with `goodput play report`.
    """
    from goodput.arena.tournament.config import resolve
    from goodput.arena.tournament.wishes import Wishes
    from goodput.cli.play.perform import perform

    # The group calls this verb by the word that the user gave for a game.
    name = ctx.info_name or ""
    perform(resolve(options.wishes(name), Wishes(), name=name), json=options.json)
