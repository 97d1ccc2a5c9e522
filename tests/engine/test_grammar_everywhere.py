"""Constrained answers are the same and valid alone, preempted, handed over and after crashes."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.hosts import ACTIONS, Host, Mode
from tests.models.words import END, Words, text_of

from goodput.core.request import GenerationRequest, Grammar, SamplingParams
from goodput.engine.executor import Sampled, StepPlan, verified
from goodput.engine.model_executor import sample_row
from goodput.models.grammar import GrammarMasks

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "array", "items": {"enum": ["x", "yé", 12]}, "minItems": 2, "maxItems": 4},
        "b": {"type": "boolean"},
    },
    "required": ["a", "b"],
    "additionalProperties": False,
}
ANY_OBJECT = {"type": "object"}
GRAMMARS = {
    "json": Grammar("json_schema", json.dumps(SCHEMA)),
    "choice": Grammar("choice", '["yes", "yes, please", "no"]'),
    "regex": Grammar("regex", "(ab|cd){3,9}"),
    "open": Grammar("json_schema", json.dumps(ANY_OBJECT)),
}
WEIGHTS = (6, 12, 12, 6, 6, 1, 1)


class RandomLogits:
    """An executor whose logits are a function of the text alone; it samples as the model's does."""

    def __init__(self) -> None:
        self.masks = GrammarMasks(Words, capacity=2)

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        def pick(tokens: Any, chunk: Any) -> Sampled:
            rng = np.random.default_rng([len(tokens), *tokens[-8:]])
            logits = rng.normal(0, 4, Words.vocab_size).astype(np.float32)
            return sample_row(logits, tokens, chunk, self.masks)

        return [
            verified(chunk, lambda _, tokens, chunk=chunk: pick(tokens, chunk))  # type: ignore[misc]
            if chunk.samples
            else []
            for chunk in plan.chunks
        ]


def request_of(name: str, grammar: str | None, **sampling: Any) -> GenerationRequest:
    return GenerationRequest(
        id=name,
        prompt=[1, 2, 3, *range(40)],
        sampling=SamplingParams(**{"max_tokens": 60, **sampling}),
        received=0.0,
        eos_token_ids=(END,),
        grammar=None if grammar is None else GRAMMARS[grammar],
    )


def run(mode: Mode, requests: list[GenerationRequest]) -> Host:
    host = Host(mode, [RandomLogits(), RandomLogits()])
    host.run(requests)
    return host


def text(host: Host, name: str) -> bytes:
    return text_of([token for token, _ in host.answers[name] if token != END])


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from([*GRAMMARS, None]),
        st.sampled_from([0.0, 1.0, 2.0]),
        st.integers(0, 9),
        st.sampled_from([0, 3]),
    ),
    min_size=1,
    max_size=5,
)


CASES = (
    REQUESTS,
    st.booleans(),
    st.integers(5, 12),
    st.integers(0, 2**32),
    st.sampled_from([0, 4]),
)


@given(*CASES)
@settings(max_examples=12, deadline=None)
def test_the_same_valid_answer_in_every_mode(
    drawn: list[Any], apart: bool, blocks: int, chance: int, drafts: int
) -> None:
    compare_with_alone(drawn, apart, blocks, chance, drafts)


@pytest.mark.slow
@given(*CASES)
@settings(max_examples=300, deadline=None)
def test_many_cases(drawn: list[Any], apart: bool, blocks: int, chance: int, drafts: int) -> None:
    compare_with_alone(drawn, apart, blocks, chance, drafts)


def compare_with_alone(
    drawn: list[Any], apart: bool, blocks: int, chance: int, drafts: int
) -> None:
    requests = [
        request_of(f"r{i}", grammar, temperature=heat, seed=seed, min_tokens=least)
        for i, (grammar, heat, seed, least) in enumerate(drawn)
    ]
    script = tuple(Random(chance).choices(ACTIONS, WEIGHTS, k=40))
    mode = Mode(apart=apart, blocks=blocks + 2, script=script, drafts=drafts)
    host = run(mode, requests)
    for request in requests:
        alone = run(Mode(prefix_cache=False), [request])
        assert host.answers[request.id] == alone.answers[request.id]
        reason = host.ended[request.id].finish_reason
        assert reason == alone.ended[request.id].finish_reason and reason != "error"
        if request.grammar is not None and reason == "stop":
            check(request.grammar, text(host, request.id).decode())


def check(grammar: Grammar, answer: str) -> None:
    if grammar.kind == "choice":
        assert answer in json.loads(grammar.text)
    elif grammar.kind == "regex":
        assert len(answer) % 2 == 0 and set(answer) <= set("abcd")
    else:
        value = json.loads(answer)
        if grammar == GRAMMARS["json"]:
            assert set(value) == {"a", "b"} and 2 <= len(value["a"]) <= 4


def test_handed_over_and_lost_in_the_middle_of_an_object() -> None:
    """The decode worker's process dies amid the object; a third engine goes on in the string."""
    script = ("arrive", "front", "offer", *("back",) * 6, "crash back")
    host = run(Mode(apart=True, script=script), [request := request_of("a", "json", seed=3)])
    assert host.handoffs == 2 and host.crashes == 1
    assert host.ended["a"].finish_reason == "stop"
    check(request.grammar, text(host, "a").decode())  # type: ignore[arg-type]


def test_the_end_comes_when_nothing_else_may_follow_even_before_min_tokens() -> None:
    host = run(Mode(), [request_of("a", "choice", min_tokens=40)])
    assert host.ended["a"].finish_reason == "stop" and host.ended["a"].stop_token == END
    assert [token for token, _ in host.answers["a"]].count(END) == 1
    check(GRAMMARS["choice"], text(host, "a").decode())


def test_a_short_answer_is_cut_by_length() -> None:
    host = run(Mode(), [request_of("a", "json", max_tokens=4)])
    assert host.ended["a"].finish_reason == "length" and len(host.answers["a"]) == 4


def test_what_cannot_go_on_ends_that_request_only() -> None:
    bad, good = request_of("bad", "regex"), request_of("good", "regex")
    bad.grammar = Grammar("regex", "(")
    host = run(Mode(), [bad, good])
    assert host.ended["bad"].finish_reason == "error"
    assert host.ended["good"].finish_reason == "stop"
