"""``goodput play games``: the games there are."""

from __future__ import annotations


def games() -> None:
    """List the games: id, seats, whether they go on while a player thinks, and title.

    The version can be left out ("tetris" is the newest). With race- in front, a game of one seat is
    a race of two.
    """
    from rich.console import Console
    from rich.table import Table

    from goodput.arena.games.registry import GAMES, make_game

    table = Table()
    for column in ("id", "seats", "real time", "title"):
        table.add_column(column, justify="right" if column == "seats" else "left")
    for game in GAMES:
        spec = make_game(game).spec
        table.add_row(spec.id, str(spec.seats), "yes" if spec.realtime else "", spec.title)
    Console(highlight=False).print(table)
