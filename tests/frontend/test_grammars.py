"""The fields that constrain an answer: how they arrive, and each wrong one by its name."""

from __future__ import annotations

import json

import pytest

from goodput.core.config import LimitsConfig
from goodput.core.request import Grammar
from goodput.frontend import create_app


def formatted(json_schema):
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}


OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("fields", "grammar"),
    [
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": None, "guided_regex": None}, None),
        ({"response_format": {"type": "json_object"}}, ("json_schema", '{"type":"object"}')),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": OBJECT},
                }
            },
            ("json_schema", json.dumps(OBJECT, separators=(",", ":"))),
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "strict": True},
                }
            },
            ("json_schema", '{"type":"object"}'),
        ),
        ({"guided_json": OBJECT}, ("json_schema", json.dumps(OBJECT, separators=(",", ":")))),
        ({"guided_json": '{"type": "null"}'}, ("json_schema", '{"type": "null"}')),
        ({"guided_regex": "a+"}, ("regex", "a+")),
        ({"guided_choice": ["a", "é"]}, ("choice", '["a","é"]')),
        ({"guided_grammar": 'start: "a"'}, ("lark", 'start: "a"')),
        ({"guided_regex": "a+", "response_format": {"type": "text"}}, ("regex", "a+")),
    ],
)
async def test_a_grammar_arrives(stage, fields, grammar):
    for answer in (await stage.chat(**fields, n=2), await stage.complete(**fields)):
        assert answer.status_code == 200, answer.text
    assert len(stage.generator.requests) == 3
    for request in stage.generator.requests:
        assert request.grammar == (None if grammar is None else Grammar(*grammar))


SCHEMA = "response_format.json_schema.schema"


@pytest.mark.parametrize(
    ("fields", "param", "reason"),
    [
        ({"response_format": {"type": "yaml"}}, "response_format.type", "yaml"),
        ({"response_format": "json"}, "response_format", ""),
        ({"response_format": {}}, "response_format.type", "required"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "required"),
        (
            formatted({"schema": {}}),
            "response_format.json_schema.name",
            "required",
        ),
        (
            formatted({"name": "x", "schema": {"type": "foo"}}),
            SCHEMA,
            "Invalid type: foo",
        ),
        ({"guided_json": "{"}, "guided_json", "EOF"),
        ({"guided_json": 5}, "guided_json", ""),
        ({"guided_regex": "(a"}, "guided_regex", "unclosed group"),
        ({"guided_regex": "a" * 65_537}, "guided_regex", "65536 bytes"),
        ({"guided_choice": []}, "guided_choice", ""),
        ({"guided_choice": ["a", 1]}, "guided_choice[1]", ""),
        ({"guided_grammar": "start: foo"}, "guided_grammar", "foo"),
        ({"guided_regex": "a", "guided_choice": ["a"]}, "guided_choice", "use one"),
        ({"guided_regex": "a", "ignore_eos": True}, "ignore_eos", "guided_regex"),
    ],
)
async def test_a_wrong_grammar_is_named_with_its_reason(make_stage, fields, param, reason):
    stage = make_stage(LimitsConfig())
    error = (answer := await stage.chat(**fields)).json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert reason in error["message"] and param in error["message"]
    assert "\n" not in error["message"] and error["message"].endswith(".")
    assert stage.generator.requests == []


async def test_nesting_that_cannot_be_written_again_is_an_error_not_a_fault(stage):
    deep: dict = {}
    for _ in range(300):
        deep = {"items": deep}
    answer = await stage.chat(guided_json=deep)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "guided_json")


async def test_a_grammar_is_judged_once(stage):
    judged = []

    def judge(grammar):
        judged.append(grammar)
        return "I say so" if grammar.text == "b" else None

    app = create_app(
        stage.generator,
        stage.text,
        model_name="tiny:1m",
        context_length=200,
        limits=stage.app.state.service.limits,
        fleet_status=stage.fleet,
        judge_grammar=judge,
    )
    stage.app = app
    for _ in range(2):
        assert (await stage.chat(guided_regex="a")).status_code == 200
        assert "I say so" in (await stage.chat(guided_regex="b")).json()["error"]["message"]
    assert [grammar.text for grammar in judged] == ["a", "b"]
    for number in range(300):
        await stage.chat(guided_regex=f"x{number}")
    assert len(app.state.service.grammars._verdicts) <= 256


async def test_an_engine_that_makes_tokens_up_refuses_grammars(stage):
    stage.app = create_app(
        stage.generator,
        stage.text,
        model_name="tiny:1m",
        context_length=200,
        limits=stage.app.state.service.limits,
        fleet_status=stage.fleet,
        judge_grammar=None,
    )
    answer = await stage.chat(response_format={"type": "json_object"})
    assert answer.status_code == 400
    assert "modelled" in answer.json()["error"]["message"]
    assert (await stage.chat(response_format={"type": "text"})).status_code == 200
