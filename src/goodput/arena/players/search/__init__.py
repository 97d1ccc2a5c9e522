"""Players that look ahead, one file a game: they anchor the scale of scores.

A game's file is named like its id without the version ("connect-four-v1" → ``connect_four.py``;
one that begins with a digit has a g before it) and holds a function ``choose`` with the face of
:class:`Chooser`. In a race each seat searches its own game.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from goodput.arena.games.registry import RACE
from goodput.arena.games.rules import Rules
from goodput.arena.players.base import Observation
from goodput.arena.players.program import Program
from goodput.core.errors import UsageError

Draw = Callable[[int], int]
"""Gives the next random number in [0, bound)."""


class Chooser(Protocol):
    """Picks one of ``legal`` (not empty) for ``seat``; the same arguments and draws give the same
    action."""

    def __call__(
        self, rules: Rules[Any], state: Any, seat: int, legal: Sequence[int], draw: Draw
    ) -> int: ...


def find_chooser(game_id: str) -> Chooser:
    """The search of a game; raises UsageError where the game has none."""
    if game_id.startswith(RACE):
        return _of_its_own_side(find_chooser(game_id.removeprefix(RACE)))
    name = game_id.rpartition("-v")[0].replace("-", "_")
    if name[:1].isdigit():
        name = f"g{name}"
    module = f"{__name__}.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        raise UsageError(f"the player 'search' does not know {game_id}: take 'greedy' or 'random'")
    chooser: Chooser = importlib.import_module(module).choose
    return chooser


def _of_its_own_side(choose: Chooser) -> Chooser:
    """In a race, the search of the game that both play."""

    def of_side(rules: Any, state: Any, seat: int, legal: Sequence[int], draw: Draw) -> int:
        return choose(rules.game, state.sides[seat], 0, legal, draw)

    return of_side


class SearchPlayer(Program):
    """Looks ahead with the game's own search; raises UsageError where the game has none."""

    label = "search"

    def choose(self, observation: Observation) -> int:
        chooser = find_chooser(observation.rules.spec.id)
        return chooser(
            observation.rules, observation.state, observation.seat, observation.legal, self.draw
        )
