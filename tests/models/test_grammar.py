"""Which tokens a grammar allows: always enough to finish, never enough to break it."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.models.words import END, STOP, Words, text_of

from goodput.core.request import Grammar, SamplingParams
from goodput.models.grammar import GrammarMasks
from goodput.models.sampling import sample


def new_masks(capacity: int = 8) -> GrammarMasks:
    return GrammarMasks(Words, capacity)


def generate(
    masks: GrammarMasks, grammar: Grammar, params: SamplingParams, name: str = "a"
) -> tuple[bytes, list[int], bool]:
    """Follow random logits; the text, its tokens, and whether it came to its end."""
    tokens: list[int] = []
    while len(tokens) < params.max_tokens:
        allowed = masks.allowed(name, grammar, tokens)
        assert allowed.any()
        rng = np.random.default_rng([params.seed & 0xFFFF, len(tokens)])
        logits = rng.normal(0, 4, Words.vocab_size + 3).astype(np.float32)
        token, _ = sample(logits, tokens, 0, params, (END,), allowed)
        assert allowed[token]
        if token == END:
            return text_of(tokens), tokens, True
        tokens.append(token)
    return text_of(tokens), tokens, False


def schema(value: Any) -> Grammar:
    return Grammar("json_schema", json.dumps(value))


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> tuple[dict[str, Any], Any]:
    """A schema with few long answers, and a function that tells whether a value fits it."""
    kinds = ["boolean", "null", "integer", "enum", "string"]
    kind = draw(st.sampled_from(kinds + ["array", "object", "object"] * (depth > 0)))
    if kind == "integer":
        low = draw(st.integers(-50, 50))
        high = low + draw(st.integers(0, 200))
        return {"type": kind, "minimum": low, "maximum": high}, (
            lambda x: type(x) is int and low <= x <= high
        )
    if kind == "enum":
        values = draw(st.lists(st.text(max_size=5) | st.integers(0, 99), min_size=1, max_size=4))
        return {"enum": values}, lambda x: x in values
    if kind == "string":
        most = draw(st.integers(0, 5))
        return {"type": kind, "maxLength": most}, lambda x: isinstance(x, str) and len(x) <= most
    if kind == "array":
        item, fits = draw(schemas(depth=depth - 1))
        most = draw(st.integers(0, 3))
        return {
            "type": kind,
            "items": item,
            "maxItems": most,
        }, lambda x: isinstance(x, list) and len(x) <= most and all(map(fits, x))
    if kind == "object":
        names = draw(st.lists(st.text("abé ", min_size=1, max_size=3), max_size=3, unique=True))
        parts = {name: draw(schemas(depth=depth - 1)) for name in names}
        required = [name for name in names if draw(st.booleans())]
        value = {
            "type": kind,
            "properties": {name: part for name, (part, _) in parts.items()},
            "required": required,
            "additionalProperties": False,
        }
        return (
            value,
            lambda x: (
                isinstance(x, dict)
                and set(required) <= set(x) <= set(names)
                and all(parts[name][1](inner) for name, inner in x.items())
            ),
        )
    literal = {"boolean": (True, False), "null": (None,)}[kind]
    return {"type": kind}, lambda x: any(x is one for one in literal)


def samplings() -> st.SearchStrategy[SamplingParams]:
    return st.builds(
        SamplingParams,
        temperature=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
        top_p=st.sampled_from([1.0, 0.3]),
        top_k=st.sampled_from([0, 1, 300]),
        min_p=st.sampled_from([0.0, 0.2]),
        seed=st.integers(0, 2**16),
        repetition_penalty=st.sampled_from([1.0, 1.5]),
        logit_bias=st.dictionaries(st.integers(0, STOP), st.sampled_from([-100.0, 100.0])),
        min_tokens=st.sampled_from([0, 0, 9]),
        max_tokens=st.just(200),
    )


@given(schemas(), samplings())
@settings(max_examples=150, deadline=None)
def test_every_finished_answer_fits_its_schema(drawn: Any, params: SamplingParams) -> None:
    form, fits = drawn
    text, _, ended = generate(new_masks(), schema(form), params)
    assume(ended)
    assert fits(json.loads(text)), text


@given(
    st.sampled_from(["[0-9]{3}-[a-f]{2,4}", "(yes|no)+", "é*x", "", "a?b?c?", r"\d+(\.\d{2})?"]),
    samplings(),
)
@settings(max_examples=80, deadline=None)
def test_every_finished_answer_matches_its_regex(pattern: str, params: SamplingParams) -> None:
    text, _, ended = generate(new_masks(), Grammar("regex", pattern), params)
    if ended:
        assert re.fullmatch(pattern, text.decode(), re.ASCII)


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=5), samplings())
@example(["a\x7f", "\0\u2028\n", '"\\'], SamplingParams(max_tokens=99))
@settings(max_examples=60, deadline=None)
def test_a_choice_is_one_of_them(choices: list[str], params: SamplingParams) -> None:
    text, _, ended = generate(new_masks(), Grammar("choice", json.dumps(choices)), params)
    assert ended and text.decode() in choices


@given(schemas(), samplings())
@settings(max_examples=20, deadline=None)
def test_masks_depend_on_the_tokens_alone(drawn: Any, params: SamplingParams) -> None:
    """One token more each time, or all of them replayed, or with other sequences in between."""
    grammar = schema(drawn[0])
    _, tokens, _ = generate(steady := new_masks(), grammar, params)
    crowded = new_masks(capacity=1)
    for count in range(len(tokens) + 1):
        known = steady.allowed("b", grammar, tokens[:count])
        assert (known == new_masks().allowed("x", grammar, tokens[:count])).all()
        assert (known == crowded.allowed(f"c{count % 2}", grammar, tokens[:count])).all()
    if tokens:  # An id whose tokens are others than before starts over.
        first = new_masks().allowed("x", grammar, [])
        assert (steady.allowed("b", grammar, []) == first).all()


def test_the_end_is_allowed_only_where_the_grammar_accepts() -> None:
    masks, grammar = new_masks(), Grammar("regex", "ab?")
    assert np.flatnonzero(masks.allowed("a", grammar, [])).tolist() == [ord("a")]
    assert np.flatnonzero(masks.allowed("a", grammar, [97])).tolist() == [ord("b"), END]
    assert np.flatnonzero(masks.allowed("a", grammar, [97, 98])).tolist() == [END]


def test_a_grammar_that_names_the_end_token_gets_it_only_when_complete() -> None:
    masks, grammar = new_masks(), Grammar("lark", f'start: "a" <[{END}]> "b"')
    assert not masks.allowed("a", grammar, [97])[END]


def test_tokens_that_break_the_grammar_leave_nothing() -> None:
    masks, grammar = new_masks(), Grammar("regex", "ab")
    assert not masks.allowed("a", grammar, [98]).any()


def test_a_grammar_that_became_too_costly_leaves_nothing() -> None:
    grammar = Grammar("regex", r"(\w+\s+){1,500}(\w+\s+){1,500}x" * 6)
    masks, tokens = new_masks(), []
    for count in range(3_000):
        if not (allowed := masks.allowed("a", grammar, tokens)).any():
            return
        tokens.append(ord(" ") if count % 3 and allowed[ord(" ")] else ord("a"))
    pytest.skip("this version of llguidance follows it")


def test_gbnf_is_understood() -> None:
    text, _, ended = generate(
        new_masks(), Grammar("lark", 'root ::= "x" [0-9] | "y"'), SamplingParams(max_tokens=9)
    )
    assert ended and re.fullmatch(rb"x[0-9]|y", text)


def row(*values: float) -> Any:
    return np.array(values, np.float32)


@pytest.mark.parametrize("fill", [0, 40])
def test_a_mask_is_stronger_than_bias_and_minimum_length(fill: int) -> None:
    """Both ways to apply it: few allowed tokens, and many."""
    logits = np.concatenate([row(9, 1, 5, 2), np.zeros(fill, np.float32)])
    allowed = np.zeros(4 + fill, np.bool_)
    allowed[[1, 3]] = True
    allowed[4:] = fill == 0
    params = SamplingParams(temperature=0.0, logit_bias={2: 100.0}, min_tokens=5, logprobs=1)
    token, logprobs = sample(logits, [], 0, params, (3,), allowed)
    assert token == 1
    assert logprobs is not None and logprobs.top[0][0] == 0, "logprobs are of the raw logits"
    only_end = allowed & (np.arange(4 + fill) == 3)
    assert sample(logits, [], 0, params, (3,), only_end)[0] == 3
    warm = SamplingParams(temperature=2.0, seed=1)
    assert {sample(logits, [0] * n, 0, warm, (3,), allowed)[0] for n in range(99)} == {1, 3}
    assert sample(row(0, 1, 2, 9), [], 0, warm, (), np.array([True]))[0] == 0
