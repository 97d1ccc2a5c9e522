"""`gemma3:270m` by name: the real file, pulled, and answering through both backends."""

from __future__ import annotations

import argparse
import inspect

import numpy as np
import pytest
from tests.models.stepping import build, logits_of, step

from goodput.core.errors import InvalidRequestError
from goodput.models.catalog import resolve
from goodput.models.load import load_text_side

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def path():
    return resolve("gemma3:270m", pull=True)


@pytest.fixture(scope="module")
def side(path):
    return load_text_side(path)


def test_facts(side):
    config = side.config
    assert (config.layers, config.heads, config.kv_heads, config.head_dim) == (18, 4, 1, 256)
    assert (config.sliding_window, config.query_scale) == (512, 256**-0.5)
    assert set(range(18)) - set(config.local_layers) == {5, 11, 17}
    assert (config.rope_theta, config.local_rope_theta) == (1_000_000.0, 10_000.0)
    assert config.eos_token_ids == (1, 106) and side.tokenizer.prepends_bos


def test_it_has_no_chat_template_and_says_so(side):
    with pytest.raises(InvalidRequestError, match="no chat template; use /v1/completions"):
        side.encode_chat([{"role": "user", "content": "hi"}])


@pytest.fixture(scope="module", params=["cpu", "torch"])
def model(request, path):
    return build(path, request.param, blocks=80)


def test_it_knows_the_capital_of_france(model, side):
    prompt = side.tokenizer.encode_prompt("Question: What is the capital of France?\nAnswer:")
    table = list(range(10))
    answer = [int(logits_of(model, prompt, [len(prompt)], table)[-1].argmax())]
    for position in range(len(prompt), len(prompt) + 2):
        answer.append(int(step(model, [(answer[-1:], position, table)])[-1].argmax()))
    assert side.tokenizer.decode(answer).startswith(" Paris\n")


def test_beyond_its_window_it_still_knows_what_the_text_repeats(model, side):
    """600 tokens: local layers have lost the beginning, global ones must find it."""
    encode = side.tokenizer.encode
    start = side.tokenizer.encode_prompt("The secret code of the old safe is 7391. ")
    filler = encode("The weather was fine and people walked in the park. ", special=False) * 60
    end = encode("The secret code of the old safe is", special=False)
    tokens = [*start, *filler[: 600 - len(start) - len(end)], *end]
    table = list(range(40))
    answer: list[int] = []
    logits_of(model, tokens[:-1], [256, 256, len(tokens) - 513], table)
    for position in range(len(tokens) - 1, len(tokens) + 5):
        last = [*tokens, *answer][-1:]
        answer.append(int(step(model, [(last, position, table)])[-1].argmax()))
    assert "7391" in side.tokenizer.decode(answer)


def test_the_backends_agree_on_a_text(path, side):
    """1,000 tokens, twice the window: quantizing loses a little; a wrong layout loses all."""
    tokens = side.tokenizer.encode_prompt(inspect.getsource(argparse))[:1000]
    ours, reference = (
        logits_of(build(path, backend, blocks=80), tokens, [500, 500], list(range(63)))
        for backend in ("cpu", "torch")
    )
    assert np.mean(ours.argmax(axis=1) == reference.argmax(axis=1)) > 0.96
    assert np.sqrt(np.mean((ours - reference) ** 2)) / reference.std() < 0.04
