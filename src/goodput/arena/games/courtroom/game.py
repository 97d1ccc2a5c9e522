"""The rules of the court: three witnesses, five contradictions, a judge whose patience ends."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from goodput.arena.games.courtroom.case import (
    EXHIBITS,
    LIES,
    Exhibit,
    Statement,
    Testimony,
    case_of,
)
from goodput.arena.games.courtroom.facts import contradicts
from goodput.arena.games.courtroom.view import draw_page, record_of, testimony_lines
from goodput.arena.games.digest import digest_of
from goodput.arena.games.rules import IllegalAction, Picture, Spec

MOVES: Final = 60
PATIENCE: Final = 5
"""Wrong exhibits that the judge bears; the last one ends the trial."""
ACTIONS: Final = (
    "next",
    "press",
    "dismiss",
    *(f"present-{number}" for number in range(1, EXHIBITS + 1)),
)
NEXT, PRESS, DISMISS, PRESENT_FIRST = range(4)

Statements = frozenset[int]
"""Statements of the testimony that is heard, by number from 0."""


class Trial(msgspec.Struct, frozen=True):
    """Which witness of which seed stands at which statement, and what was done with the statements
    of this witness. ``remark`` is what the court said last. ``witness`` is one beyond the last when
    all were heard."""

    seed: int
    witness: int = 0
    statement: int = 0
    pressed: Statements = frozenset()
    refuted: Statements = frozenset()
    found: int = 0
    patience: int = PATIENCE
    moves_left: int = MOVES
    remark: str = ""


class Courtroom:
    """A point for each contradiction that is found."""

    spec = Spec(
        id="courtroom-v1",
        title="the courtroom game",
        actions=ACTIONS,
        frame_limit=36_000,
        step_limit=MOVES,
        rules_text=(
            "You are the defence in a trial. The court record lists exhibits, which are always "
            f"true. {len(LIES)} witnesses testify one after the other; some of their statements "
            "contradict an exhibit, and you score a point for each one that you expose. next goes "
            "on to the next statement. press asks the witness about the current one (marked >), "
            "which may bring out its time. present-N shows exhibit N against the current "
            "statement: right if both cannot be true. Where an exhibit holds for some hours, the "
            "statement must have named a time within them. A wrong exhibit costs a point of the "
            "judge's patience; without patience the trial ends. When all contradictions of a "
            "witness are found, the next one testifies; dismiss gives up the rest of a witness. "
            f"You have {MOVES} moves."
        ),
    )

    def reset(self, seed: int) -> Trial:
        return Trial(seed)

    def step(self, state: Trial, action: int, seat: int = 0) -> Trial:
        if action not in self.legal(state):
            word = ACTIONS[action] if 0 <= action < len(ACTIONS) else action
            raise IllegalAction(f"{word} is not possible now")
        state = replace(state, moves_left=state.moves_left - 1)
        if action == NEXT:
            return replace(state, statement=_following(state), remark="")
        if action == PRESS:
            return _pressed(state)
        if action == DISMISS:
            return _next_witness(state, "The witness is dismissed.")
        return _presented(state, action - PRESENT_FIRST)

    def frame(self, state: Trial) -> Trial:
        return state

    def legal(self, state: Trial, seat: int = 0) -> list[int]:
        if self.over(state):
            return []
        actions = range(len(ACTIONS))
        return [action for action in actions if action != PRESS or not _is_pressed(state)]

    def to_act(self, state: Trial) -> tuple[int, ...]:
        return () if self.over(state) else (0,)

    def over(self, state: Trial) -> bool:
        return state.witness == len(LIES) or state.patience == 0 or state.moves_left == 0

    def score(self, state: Trial, seat: int = 0) -> float:
        return float(state.found)

    def outcome(self, state: Trial) -> tuple[float, ...]:
        return ()

    def text(self, state: Trial, seat: int = 0) -> str:
        return "\n".join(_lines(state))

    def picture(self, state: Trial, seat: int = 0) -> Picture:
        return draw_page(_lines(state))

    def digest(self, state: Trial) -> str:
        return digest_of(
            (state.seed, state.witness, state.statement),
            tuple(sorted(state.pressed)),
            tuple(sorted(state.refuted)),
            (state.found, state.patience, state.moves_left),
            state.remark,
        )


def testimony_of(state: Trial) -> Testimony:
    """Whose turn it is to testify, in a trial that is not over."""
    return case_of(state.seed).testimonies[state.witness]


def exposes(exhibit: Exhibit, statement: Statement, pressed: bool) -> bool:
    """Whether an exhibit contradicts what has been heard of a statement."""
    known = pressed or not statement.withheld
    return known and contradicts(exhibit.fact, statement.claim)


def _is_pressed(state: Trial) -> bool:
    return state.statement in state.pressed


def _pressed(state: Trial) -> Trial:
    statement = testimony_of(state).statements[state.statement]
    answer = statement.time if statement.withheld else "I have nothing to add."
    return replace(
        state, pressed=state.pressed | {state.statement}, remark=f"The witness answers: {answer}"
    )


def _presented(state: Trial, number: int) -> Trial:
    """Exhibit ``number`` (from 0) against the current statement."""
    exhibit = case_of(state.seed).exhibits[number]
    statement = testimony_of(state).statements[state.statement]
    which = f"exhibit {number + 1} against statement {state.statement + 1}"
    if not exposes(exhibit, statement, _is_pressed(state)):
        remark = f"The judge sees no contradiction: {which}."
        return replace(state, patience=state.patience - 1, remark=remark)
    remark = f"A contradiction is found: {which}."
    refuted = state.refuted | {state.statement}
    state = replace(state, refuted=refuted, found=state.found + 1, remark=remark)
    if len(refuted) == LIES[state.witness]:
        return _next_witness(state, remark)
    return replace(state, statement=_following(state))


def _following(state: Trial) -> int:
    """The next statement that is not refuted, from the last on to the first."""
    total = len(testimony_of(state).statements)
    circle = ((state.statement + step) % total for step in range(1, total + 1))
    return next(index for index in circle if index not in state.refuted)


def _next_witness(state: Trial, remark: str) -> Trial:
    return replace(
        state,
        witness=state.witness + 1,
        statement=0,
        pressed=frozenset(),
        refuted=frozenset(),
        remark=remark,
    )


def _lines(state: Trial) -> list[str]:
    case = case_of(state.seed)
    lines = [
        case.story,
        f"found {state.found} of {sum(LIES)}  patience {state.patience}  "
        f"moves left {state.moves_left}",
        "COURT RECORD",
        *record_of(case),
    ]
    if state.witness == len(LIES):
        lines.append("ALL WITNESSES HAVE BEEN HEARD")
    else:
        testimony = case.testimonies[state.witness]
        open_lies = LIES[state.witness] - len(state.refuted)
        lines += [
            "TESTIMONY",
            f"Witness {state.witness + 1} of {len(LIES)}, {testimony.witness}; "
            f"contradictions to find: {open_lies}",
            *testimony_lines(testimony.statements, state.pressed, state.refuted, state.statement),
        ]
    return [*lines, state.remark] if state.remark else lines
