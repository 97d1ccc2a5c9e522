"""Versus Tetris: each side plays as it would alone, and so clears what the other sends."""

from __future__ import annotations

from collections.abc import Sequence

from goodput.arena.games.rules import Rules
from goodput.arena.games.tetris.versus import Duel
from goodput.arena.players.search import Draw
from goodput.arena.players.search.tetris import next_key


def choose(rules: Rules[Duel], state: Duel, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The next key towards the best place."""
    return next_key(state.wells[seat])
