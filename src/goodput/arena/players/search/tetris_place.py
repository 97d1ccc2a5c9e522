"""Tetris by placements: the best place, in one action."""

from __future__ import annotations

from collections.abc import Sequence

from goodput.arena.games.rules import Rules
from goodput.arena.games.tetris.placements import HOLD, Placements
from goodput.arena.games.tetris.well import Well
from goodput.arena.players.search import Draw
from goodput.arena.players.search.tetris import best_plan


def choose(rules: Rules[Well], state: Well, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The best place for the piece, or holding it."""
    return next_placement(state)


def next_placement(well: Well) -> int:
    """The action of the best plan."""
    plan = best_plan(well)
    return HOLD if plan is None else Placements.action(well, plan.turn, plan.at)
