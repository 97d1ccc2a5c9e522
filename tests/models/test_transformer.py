"""The transformer and its backends, against the `transformers` library and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.stepping import build, logits_of, step
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

SHAPE = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
ARCHITECTURES = {
    "llama": (LlamaForCausalLM, LlamaConfig(**SHAPE, tie_word_embeddings=True)),
    "llama3": (LlamaForCausalLM, LlamaConfig(**SHAPE, rope_parameters=LLAMA3_ROPE)),
    "mistral": (MistralForCausalLM, MistralConfig(**SHAPE, sliding_window=None)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SHAPE)),
}
TOKENS = np.random.default_rng(3).integers(0, 300, 150).tolist()


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def checkpoint(request, tmp_path_factory):
    """A small random model as (folder, logits of `transformers` for TOKENS)."""
    kind, config = ARCHITECTURES[request.param]
    torch.manual_seed(1)
    model = kind(config).float().eval()
    with torch.no_grad():  # biases and norms start at zeros and ones: make them matter
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
            else:  # onto the int8 grid, so that quantizing the weights loses nothing
                scale = parameter.abs().amax(dim=1, keepdim=True) / 127
                parameter.copy_(torch.round(parameter / scale) * scale)
    folder = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(folder, safe_serialization=True)
    with torch.no_grad():
        expected = model(torch.tensor([TOKENS])).logits[0].numpy()
    return folder, expected


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(2)
    LlamaForCausalLM(ARCHITECTURES["llama"][1]).save_pretrained(folder)
    return build(folder, "cpu")


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODPUT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def test_reference_backend_equals_transformers(checkpoint):
    folder, expected = checkpoint
    got = logits_of(build(folder, "torch"), TOKENS, [70, 1, 79], list(range(10)))
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_cpu_backend_is_close_to_transformers(checkpoint):
    """Only activations (13 bits and more) and 16-bit keys and values are rounded here."""
    folder, expected = checkpoint
    got = logits_of(build(folder, "cpu"), TOKENS, [150], list(range(10)))
    error = np.sqrt(np.mean((got - expected) ** 2)) / expected.std()
    assert error < 3e-3


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_chunks_and_block_order_change_no_bit(tiny, data):
    whole = logits_of(tiny, TOKENS, [150], list(range(10)))
    table = data.draw(st.permutations(range(40)))[:10]
    chunks, left = [], len(TOKENS)
    while left:
        chunks.append(min(left, data.draw(st.integers(1, 60))))
        left -= chunks[-1]
    assert np.array_equal(whole, logits_of(tiny, TOKENS, chunks, list(table)))


def test_company_changes_no_bit(tiny):
    """A decoding sequence beside prefills of other lengths gives the logits it gives alone."""
    alone = logits_of(tiny, TOKENS[:50], [49, 1], [1, 2, 3, 4])[-1]
    logits_of(tiny, TOKENS[:49], [49], [1, 2, 3, 4])
    others = [(TOKENS[:n], 0, [10 + 5 * n + i for i in range(4)]) for n in (1, 3, 7)]
    rows = step(tiny, [*others[:2], (TOKENS[49:50], 49, [1, 2, 3, 4]), others[2]])
    assert np.array_equal(rows[4], alone)
