"""The platformer: plays pairs of actions a little ahead, and takes what gets furthest alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.arena.games.platformer.controls import ACTIONS
from goodput.arena.games.platformer.game import Run
from goodput.arena.games.platformer.physics import TILE
from goodput.arena.games.rules import Rules
from goodput.arena.players.search import Draw

_TRIED: Final = tuple(
    ACTIONS.index(word)
    for word in ("run right", "run right jump", "right", "right jump", "jump", "stay", "left")
)
_FIRST_FRAMES: Final = 10
_THEN_FRAMES: Final = 34
"""A jump over a pit is over by then."""
_LOST: Final = -1000.0


def choose(rules: Rules[Run], state: Run, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """The first of the two best actions; of equals the one that was held, then the first."""
    values = {action: _best_after(rules, state, action) for action in _TRIED}
    best = max(values.values())
    if values.get(state.held) == best and not state.body.wish:
        return state.held
    return next(action for action in _TRIED if values[action] == best)


def _best_after(rules: Rules[Run], state: Run, action: int) -> float:
    """What the best second action makes of it."""
    begun = _played(rules, state, action, _FIRST_FRAMES)
    if begun.lives < state.lives or rules.over(begun):
        return _value(rules, begun, state)
    return max(
        _value(rules, _played(rules, begun, following, _THEN_FRAMES), state)
        for following in _TRIED[:4]
    )


def _played(rules: Rules[Run], state: Run, action: int, frames: int) -> Run:
    before = state.lives
    if action != state.held or action in (1, 3):
        state = rules.step(state, action)
    for _ in range(frames):
        if rules.over(state) or state.lives < before:
            break
        state = rules.frame(state)
    return state


def _value(rules: Rules[Run], after: Run, before: Run) -> float:
    """Points, and the way within a column; standing counts, for falling may end badly."""
    if after.lives < before.lives:
        return _LOST
    safe = 0.5 if after.body.grounded else 0.0
    return rules.score(after) + after.body.x / TILE + safe
