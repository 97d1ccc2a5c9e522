"""The default model against `transformers` in float32, on the same checkpoint."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from tests.models.stepping import build, logits_of, step
from transformers import LlamaConfig, LlamaForCausalLM

from goodput.models.catalog import resolve
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.load import load_text_side

MODULES = ("argparse", "logging", "decimal", "unittest", "email", "doctest", "optparse", "pydoc")


@pytest.fixture(scope="module")
def path():
    return resolve("smollm2:135m", pull=True)


@pytest.fixture(scope="module")
def text_side(path):
    return load_text_side(path)


@pytest.fixture(scope="module")
def oracle(path):
    """The checkpoint's dequantized tensors inside the library's own Llama."""
    checkpoint = open_checkpoint(path)
    shape = checkpoint.config
    config = LlamaConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context_length,
        rms_norm_eps=shape.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).eval()
    state = {name: torch.from_numpy(checkpoint.tensor(name)) for name in checkpoint.names()}
    missing = model.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert missing.missing_keys == ["lm_head.weight"]
    return model


def perplexity(logits, tokens):
    logs = torch.log_softmax(torch.as_tensor(logits[:-1]).double(), -1)
    picked = logs[torch.arange(len(tokens) - 1), torch.tensor(tokens[1:])]
    return float(torch.exp(-picked.mean()))


def prose(text_side, length):
    """English that the model was not made from: the standard library's own documentation."""
    texts = [inspect.getdoc(__import__(name)) or "" for name in MODULES]
    return text_side.tokenizer.encode("\n\n".join(texts), special=False)[:length]


@pytest.mark.parametrize("length", [256, pytest.param(1536, marks=pytest.mark.slow)])
def test_perplexity_is_within_three_percent(path, text_side, oracle, length):
    tokens = prose(text_side, length)
    with torch.inference_mode():
        expected = perplexity(oracle(torch.tensor([tokens])).logits[0], tokens)
    chunks = [min(384, len(tokens) - first) for first in range(0, len(tokens), 384)]
    table = list(range(100))
    ours = perplexity(logits_of(build(path, "cpu"), tokens, chunks, table), tokens)
    assert abs(ours / expected - 1) < 0.03


@pytest.mark.slow
def test_reference_logits_equal_transformers(path, text_side, oracle):
    tokens = prose(text_side, 64)
    with torch.inference_mode():
        expected = oracle(torch.tensor([tokens])).logits[0].numpy()
    got = logits_of(build(path, "torch"), tokens, [64], list(range(4)))
    np.testing.assert_allclose(got, expected, atol=1e-3)


QUESTIONS = (
    "What is the capital of France?",
    pytest.param("Name three primary colors.", marks=pytest.mark.slow),
)


def greedy(model, prompt, stop, count):
    """Tokens chosen one at a time, prefill then decode."""
    table = list(range(40))
    tokens = list(prompt)
    chosen = int(logits_of(model, tokens, [len(tokens)], table)[-1].argmax())
    answer = [chosen]
    while chosen not in stop and len(answer) < count:
        chosen = int(
            step(model, [([answer[-1]], len(tokens) + len(answer) - 1, table)])[-1].argmax()
        )
        answer.append(chosen)
    return answer


@pytest.mark.parametrize("question", QUESTIONS)
def test_greedy_answers_equal_transformers(path, text_side, oracle, question):
    prompt = text_side.tokenizer.encode(
        text_side.chat_template.render([{"role": "user", "content": question}]), special=True
    )
    stop = text_side.tokenizer.eos_token_ids
    with torch.inference_mode():
        expected = oracle.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=24,
            do_sample=False,
            eos_token_id=list(stop),
            pad_token_id=0,
        )[0, len(prompt) :].tolist()
    ours = greedy(build(path, "cpu"), prompt, stop, 24)
    assert ours == expected
