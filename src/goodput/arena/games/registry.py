"""The games by their versioned ids."""

from __future__ import annotations

import importlib
from typing import Any, Final

from goodput.arena.games.rules import Rules
from goodput.core.errors import UsageError

RACE: Final = "race-"

_OWN: Final = {
    "2048-v1": "g2048:Game2048",
    "tetris-v1": "tetris.single:tetris",
    "tetris-place-v1": "tetris.single:placement_tetris",
    "sokoban-v1": "sokoban.game:Sokoban",
    "match3-v1": "match3.game:Match3",
    "courtroom-v1": "courtroom.game:Courtroom",
    "platformer-v1": "platformer.game:Platformer",
    "tetris-versus-v1": "tetris.versus:versus_tetris",
    "tetris-versus-place-v1": "tetris.versus:versus_placement_tetris",
    "connect-four-v1": "connect_four:ConnectFour",
    "tictactoe-v1": "tictactoe:TicTacToe",
    "holdem-v1": "holdem.match:Holdem",
}
"""Where each game's constructor is, below this package: importing one game loads no other."""

GAMES: Final = tuple(_OWN)
"""Our own games, which need nothing installed."""

_MARIO: Final = ("mario", "mario-v1")
_ATARI: Final = "atari-"


def make_game(name: str) -> Rules[Any]:
    """The game called ``name``: an id ("tetris-v1"), one without its version, which is then the
    newest, or either after "race-". With the extras also "mario" and "atari-" before a ROM's name.

    Raises UsageError that lists the games, or names the extra that is missing.
    """
    if name.startswith(RACE):
        from goodput.arena.games.race import Race

        game = make_game(name.removeprefix(RACE))
        if game.spec.seats != 1:
            raise UsageError(f"there is no {name!r}: {game.spec.id} has two seats already")
        return Race(game)
    if name in _MARIO:
        from goodput.arena.games.emulated.nes import mario

        return mario()
    if name.startswith(_ATARI):
        from goodput.arena.games.emulated.ale import atari

        return atari(name.removeprefix(_ATARI).removesuffix("-v1"))
    module, _, constructor = _OWN[_newest(name)].partition(":")
    rules: Rules[Any] = getattr(importlib.import_module(f"{__package__}.{module}"), constructor)()
    return rules


def _newest(name: str) -> str:
    """The id that ``name`` means."""
    if name in _OWN:
        return name
    versions = [id_ for id_ in _OWN if id_.rpartition("-v")[0] == name]
    if not versions:
        raise UsageError(
            f"there is no game {name!r}: take one of {', '.join(GAMES)}, mario or {_ATARI}ROM"
        )
    return max(versions, key=lambda id_: int(id_.rpartition("-v")[2]))
