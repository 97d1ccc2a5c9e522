"""Cases are consistent, their contradictions the ones meant, and nothing gives them away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.arena.games.courtroom.case import EXHIBITS, LIES, STATEMENTS, case_of
from goodput.arena.games.courtroom.facts import Claim, Fact, contradicts
from goodput.arena.games.courtroom.game import (
    DISMISS,
    MOVES,
    NEXT,
    PATIENCE,
    PRESENT_FIRST,
    PRESS,
    Courtroom,
    Trial,
    exposes,
)
from goodput.arena.games.courtroom.game import testimony_of as heard_from
from goodput.arena.games.courtroom.view import LINES, wrapped
from goodput.arena.games.rules import IllegalAction
from goodput.arena.players.search import find_chooser

RULES = Courtroom()
SEEDS = st.integers(0, 100_000)


@pytest.mark.parametrize(
    ("topic", "value", "minute", "excluded"),
    [
        ("weather", "dry", 1200, True),
        ("weather", "rain", 1200, False),  # it agrees
        ("weather", "dry", 1259, True),
        ("weather", "dry", 1261, False),  # nothing is known of that time
        ("arm", "dry", 1200, False),  # about something else
    ],
)
def test_what_excludes_what(topic: str, value: str, minute: int, excluded: bool) -> None:
    fact = Fact("weather", "rain", 1140, 1260)
    assert contradicts(fact, Claim(topic, value, minute)) is excluded


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_each_witness_tells_its_lies_and_one_exhibit_exposes_each(seed: int) -> None:
    case = case_of(seed)
    assert len(case.exhibits) == EXHIBITS
    for testimony, lies in zip(case.testimonies, LIES, strict=True):
        assert len(testimony.statements) == STATEMENTS
        exposing = [
            sum(exposes(exhibit, statement, pressed=True) for exhibit in case.exhibits)
            for statement in testimony.statements
        ]
        assert sorted(exposing) == [0] * (STATEMENTS - lies) + [1] * lies


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_page_holds_the_whole_text(seed: int) -> None:
    lines = [part for line in RULES.text(RULES.reset(seed)).split("\n") for part in wrapped(line)]
    assert len(lines) + 4 <= LINES  # Answers to questions make it longer.


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_perfect_reader_finds_everything(seed: int) -> None:
    choose = find_chooser("courtroom-v1")
    state = RULES.reset(seed)
    while not RULES.over(state):
        legal = RULES.legal(state)
        state = RULES.step(state, choose(RULES, state, 0, legal, lambda bound: 0))
    assert RULES.score(state) == sum(LIES) and state.patience == PATIENCE


def lie(state: Trial) -> tuple[int, int]:
    """A statement that lies, and the exhibit that shows it, whatever has been heard."""
    case = case_of(state.seed)
    for index, statement in enumerate(heard_from(state).statements):
        for number, exhibit in enumerate(case.exhibits):
            if index not in state.refuted and exposes(exhibit, statement, pressed=True):
                return index, number
    raise AssertionError("no lie is left")


def gone_to(state: Trial, statement: int) -> Trial:
    while state.statement != statement:
        state = RULES.step(state, NEXT)
    return state


def test_a_contradiction_scores_and_a_wrong_exhibit_costs_patience() -> None:
    state = RULES.reset(5)
    statement, exhibit = lie(state)
    state = gone_to(state, statement)
    wrong = RULES.step(state, PRESENT_FIRST + (exhibit + 1) % EXHIBITS)
    assert (wrong.found, wrong.patience) == (0, PATIENCE - 1)
    if PRESS in RULES.legal(state):
        state = RULES.step(state, PRESS)
    right = RULES.step(state, PRESENT_FIRST + exhibit)
    assert (right.found, right.patience) == (1, PATIENCE)


def test_a_time_that_was_left_out_has_to_be_asked_for() -> None:
    for seed in range(200):
        state = RULES.reset(seed)
        statement, exhibit = lie(state)
        if not heard_from(state).statements[statement].withheld:
            continue
        state = gone_to(state, statement)
        assert RULES.step(state, PRESENT_FIRST + exhibit).found == 0
        pressed = RULES.step(state, PRESS)
        assert heard_from(state).statements[statement].time in pressed.remark
        assert RULES.step(pressed, PRESENT_FIRST + exhibit).found == 1
        return
    raise AssertionError("no seed has such a lie first")


def test_five_wrong_exhibits_end_the_trial() -> None:
    state = RULES.reset(8)
    while not RULES.over(state):
        statement, exhibit = lie(state)
        state = gone_to(state, (statement + 1) % STATEMENTS)
        state = RULES.step(state, PRESENT_FIRST + exhibit)
        if state.found:  # That one lied too.
            return
    assert state.patience == 0 and RULES.legal(state) == []
    with pytest.raises(IllegalAction):
        RULES.step(state, NEXT)


def test_dismissing_everybody_ends_it_without_a_point() -> None:
    state = RULES.reset(1)
    for _ in LIES:
        state = RULES.step(state, DISMISS)
    assert RULES.over(state) and RULES.score(state) == 0


def test_the_moves_run_out() -> None:
    state = RULES.reset(1)
    for _ in range(MOVES):
        state = RULES.step(state, NEXT)
    assert RULES.over(state)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_the_text_is_the_same_for_truths_and_lies(seed: int) -> None:
    """Nothing but the facts tells them apart: no mark, and no difference in form."""
    lines = RULES.text(RULES.reset(seed)).split("\n")
    first = lines.index("TESTIMONY") + 2
    statements = heard_from(RULES.reset(seed)).statements
    for line, statement in zip(lines[first : first + STATEMENTS], statements, strict=True):
        told = statement.time if statement.time and not statement.withheld else ""
        assert line[5:] == f"{statement.text} {told}".strip()
