"""From a player's name, as users write it, to the player."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from goodput.arena.players.base import Player
from goodput.arena.players.greedy import GreedyPlayer
from goodput.arena.players.human import HumanPlayer
from goodput.arena.players.random import RandomPlayer
from goodput.arena.players.search import SearchPlayer
from goodput.arena.players.settings import Settings
from goodput.core.errors import UsageError

_PLAIN: Final[dict[str, Callable[[], Player]]] = {
    "random": RandomPlayer,
    "greedy": GreedyPlayer,
    "search": SearchPlayer,
    "human": HumanPlayer,
}
_MODEL: Final = "openai:"


def parse_player(text: str, settings: Settings | None = None) -> Player:
    """A new player for one seat: ``random``, ``greedy``, ``search``, ``human`` or
    ``openai:MODEL@URL``, with ``#NAME`` behind it where the API key is in the environment variable
    NAME instead of OPENAI_API_KEY. ``settings`` are of models only.

    Nothing is connected yet. Raises UsageError that quotes what cannot be understood.
    """
    if text in _PLAIN:
        return _PLAIN[text]()
    if text.startswith(_MODEL):
        from goodput.arena.players.openai.address import parse_address
        from goodput.arena.players.openai.player import OpenAIPlayer

        return OpenAIPlayer(parse_address(text.removeprefix(_MODEL)), settings or Settings())
    known = ", ".join(_PLAIN)
    raise UsageError(f"there is no player {text!r}: take {known} or openai:MODEL@URL")
