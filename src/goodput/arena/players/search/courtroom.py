"""The courtroom: a perfect reader, who asks for every time that was left out."""

from __future__ import annotations

from collections.abc import Sequence

from goodput.arena.games.courtroom.case import case_of
from goodput.arena.games.courtroom.game import (
    NEXT,
    PRESENT_FIRST,
    PRESS,
    Trial,
    exposes,
    testimony_of,
)
from goodput.arena.games.rules import Rules
from goodput.arena.players.search import Draw


def choose(rules: Rules[Trial], state: Trial, seat: int, legal: Sequence[int], draw: Draw) -> int:
    """Present what contradicts the current statement as it was heard; else press it, if its time
    is missing, or go on."""
    statement = testimony_of(state).statements[state.statement]
    pressed = state.statement in state.pressed
    for number, exhibit in enumerate(case_of(state.seed).exhibits):
        if exposes(exhibit, statement, pressed):
            return PRESENT_FIRST + number
    return PRESS if statement.withheld and not pressed else NEXT
