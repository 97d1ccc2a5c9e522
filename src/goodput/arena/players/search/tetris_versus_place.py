"""Versus Tetris by placements: each side plays as it would alone."""

from __future__ import annotations

from collections.abc import Sequence

from goodput.arena.games.rules import Rules
from goodput.arena.games.tetris.versus import Duel
from goodput.arena.players.search import Draw
from goodput.arena.players.search.tetris_place import next_placement


def choose(rules: Rules[Duel], state: Duel, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The best place for the piece, or holding it."""
    return next_placement(state.wells[seat])
