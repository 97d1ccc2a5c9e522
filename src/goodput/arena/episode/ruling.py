"""What becomes of an answer: the rules about late, illegal and missing moves."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from goodput.arena.clocks.base import Question
from goodput.arena.episode.record import Fate
from goodput.arena.games.rules import Rules
from goodput.arena.players.base import Decision

PATIENCE: Final = 10
"""So many answers in a row may an endpoint fail to give; then the episode is over for it."""


class Ruling(NamedTuple):
    """The fate of an answer, whether it was late, and the action to apply, if any."""

    fate: Fate
    late: bool
    action: int | None = None


def rule_on(
    rules: Rules[Any], state: Any, frame: int, question: Question, decision: Decision
) -> Ruling:
    """Judge an answer that counts at ``frame``, where the game is in ``state``.

    It is late when frames have passed and what its seat sees is no longer what it was asked about.
    A late move is dropped where the game says so, or where it is no longer legal; that is never
    held against the player as an illegal move.
    """
    late = _late(rules, state, frame, question)
    action = decision.action
    if action is None:
        return Ruling("none" if decision.illegal is None else "illegal", late)
    if action not in question.legal:
        return Ruling("illegal", late)
    if (late and rules.spec.late == "drop") or action not in rules.legal(state, question.seat):
        return Ruling("dropped", late)
    return Ruling("applied", late, action)


def forfeits(ruling: Ruling, decision: Decision, *, turns: bool, failures: int) -> bool:
    """Whether an answer loses a game of two seats, of which ``failures`` were in a row.

    An illegal move and a timeout do, and in a game of turns any answer that is no move: the other
    seat cannot go on. In a simultaneous game it can, so there a missing move only costs itself.
    """
    if ruling.fate == "illegal" or decision.timed_out or failures >= PATIENCE:
        return True
    return turns and ruling.fate != "applied"


def _late(rules: Rules[Any], state: Any, frame: int, question: Question) -> bool:
    if not rules.spec.realtime or frame == question.asked_frame:
        return False
    return rules.text(state, question.seat) != rules.text(question.state, question.seat)
