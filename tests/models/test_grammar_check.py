"""What is refused before a worker sees it, in bounded time whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from goodput.core.request import Grammar
from goodput.models.grammar_check import complaint, judge


def schema(value: Any) -> Grammar:
    return Grammar("json_schema", json.dumps(value))


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        (schema({"type": "foo"}), "Invalid type: foo"),
        (schema({"type": "array", "uniqueItems": True}), "uniqueItems"),
        (schema({"$ref": "#/x"}), "/x"),
        (schema({"$ref": "http://127.0.0.1:9/x.json"}), "does not fetch"),
        (schema({"type": "integer", "minimum": 5, "maximum": 3}), "minimum (5) is greater"),
        (Grammar("json_schema", "{"), "EOF"),
        (Grammar("json_schema", "[]"), "object schema"),
        (Grammar("regex", "(a"), "unclosed group"),
        (Grammar("regex", "(?=a)b"), "look-around"),
        (Grammar("regex", r"(a)\1"), "backreferences"),
        (Grammar("regex", r"[^\s\S]"), "no text can match"),
        (Grammar("lark", "start: foo"), "foo"),
        (Grammar("lark", "root ::= ("), ""),
    ],
)
def test_the_reason_is_told_in_one_line(grammar: Grammar, reason: str) -> None:
    found = judge(grammar)
    assert found is not None and reason in found
    assert "\n" not in found and len(found) <= 300


@pytest.mark.parametrize(
    "grammar",
    [
        schema({"type": "object"}),
        schema({"enum": [f"{n:06d}" for n in range(6000)]}),
        schema({"$defs": {"n": {"properties": {"c": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"}),
        schema({"type": "string", "pattern": "^[a-z]+@[a-z]+$"}),
        Grammar("regex", ""),
        Grammar("choice", '["a", "a\\"b\\\\n", "é"]'),
    ],
)
def test_what_can_be_followed_passes(grammar: Grammar) -> None:
    assert judge(grammar) is None


def test_the_process_says_the_same() -> None:
    assert complaint(Grammar("regex", "(a")) == "unclosed group"
    assert complaint(Grammar("regex", "a")) is None


@pytest.mark.parametrize(
    "grammar",
    [
        schema({"allOf": [{"type": "string", "pattern": f".*{n}.*"} for n in range(40)]}),
        Grammar("json_schema", '{"items":' * 5000 + "{}" + "}" * 5000),
        Grammar("lark", "start: " + "(" * 30000),
    ],
)
def test_a_hostile_grammar_ends_its_own_process_only(grammar: Grammar) -> None:
    assert complaint(grammar)
