"""Moves read out of whatever models say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.arena.players.ladder import legal_action, read_move

WORDS = ("up", "down", "left", "right", "rotate left", "7")
LEGAL = (0, 2, 4, 5)


@pytest.mark.parametrize(
    ("text", "rung", "action"),
    [
        ('{"move": "up"}', "json", 0),
        ('I think {"action": "left"} is best.', "json", 2),
        ('{"move": "down"} no, wait: {"move": "left"}', "json", 2),  # the last one counts
        ('```json\n{"move": "rotate left"}\n```', "json", 4),
        ('{"move": 7}', "json", 5),
        ('{"Move": "up",\n "because": {"move": "left"}}', "json", 0),  # the outer object's
        ('{"answer": {"move": "left"}}', "json", 2),
        ('{"thought": "either {up}\nor", "move": "left"}', "json", 2),
        ('{"move": null, "action": "left"}', "json", 2),
        ('{"move": "left", "because": "it is', "move-line", 2),  # cut off
        ("Going up is bad.\nmove: left", "move-line", 2),
        ('{\n  "move": "left",\n  "because": "it is', "move-line", 2),
        ("{move: up}", "move-line", 0),
        ("move: up\nMove:", "move-line", 0),  # a line that says nothing is none
        ("move: down\nHm.\nMove: up", "move-line", 0),
        ("**Move:** `left`", "move-line", 2),
        ("- action : LEFT.", "move-line", 2),
        ("left", "token", 2),
        ("(left)!", "token", 2),
        ("  Left. ", "token", 2),
        ('"rotate  left"', "token", 4),
    ],
)
def test_each_rung(text: str, rung: str, action: int) -> None:
    reading = read_move(text, WORDS, LEGAL)
    assert (reading.rung, reading.action) == (rung, action)
    assert reading.illegal is None


@pytest.mark.parametrize(
    ("text", "illegal"),
    [
        ('{"move": "down"}', "down"),
        ('{"move": "fly"}', "fly"),
        ('{"move": true}', "true"),
        ("move: jump high", "jump high"),
        ('{"move": "straight\\n up"}', "straight up"),
        ("down", "down"),  # a word of the game, but not now
    ],
)
def test_what_is_asked_for_and_cannot_be_is_illegal(text: str, illegal: str) -> None:
    reading = read_move(text, WORDS, LEGAL)
    assert (reading.action, reading.illegal) == (None, illegal)


@pytest.mark.parametrize(
    "text",
    ["", "I am not sure.", "up or left?", "{}", "[1, 2]", "move:", '{"move": ""}', '{"because":'],
)
def test_what_names_nothing_is_no_move(text: str) -> None:
    reading = read_move(text, WORDS, LEGAL)
    assert (reading.action, reading.illegal, reading.rung) == (None, None, "none")


def test_the_same_plain_form_twice_is_nobodys() -> None:
    words = ("Stay", "stay.", "go")
    assert legal_action("stay.", words, (0, 1)) == 1
    assert legal_action("STAY", words, (0, 1)) is None
    assert legal_action("STAY", words, (0, 2)) == 0


@given(st.text(max_size=200))
def test_nothing_that_is_said_breaks_it(text: str) -> None:
    reading = read_move(text, WORDS, LEGAL)
    assert reading.action is None or reading.action in LEGAL
    assert reading.illegal is None or (reading.action is None and len(reading.illegal) <= 80)


@given(st.sampled_from(LEGAL))
def test_every_legal_word_is_read_on_every_rung(action: int) -> None:
    word = WORDS[action]
    for text in (f'{{"move": "{word}"}}', f"well\nmove: {word}", word):
        assert read_move(text, WORDS, LEGAL).action == action


@pytest.mark.parametrize("text", ['{"a":' * 20_000, "{" * 100_000, '{"a": 1}' * 20_000])
def test_brackets_without_end_are_no_move(text: str) -> None:
    assert read_move(text, WORDS, LEGAL).action is None
    assert read_move(f'{text} {{"move": "up"}}', WORDS, LEGAL).action == 0
