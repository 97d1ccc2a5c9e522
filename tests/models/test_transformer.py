"""The transformer and its backends, against the `transformers` library and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.small_models import (
    ARCHITECTURES,
    SHAPE,
    TOKENS,
    expected_logits,
    random_model,
    save,
)
from tests.models.stepping import build, logits_of, step
from transformers import LlamaConfig, LlamaForCausalLM

from goodput.core.errors import CheckpointError


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def checkpoint(request, tmp_path_factory):
    """A small random model as (folder, logits of `transformers` for TOKENS)."""
    model = random_model(request.param)
    folder = save(model, tmp_path_factory.mktemp(request.param))
    return folder, expected_logits(model)


@pytest.fixture(scope="module", params=["llama", "qwen3", "gemma3"])
def tiny(request, tmp_path_factory):
    return build(save(random_model(request.param), tmp_path_factory.mktemp("tiny")), "cpu")


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODPUT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.mark.parametrize("chunks", [[150], [70, 1, 79], [1] * 30 + [40] * 3])
def test_reference_backend_equals_transformers(checkpoint, chunks):
    folder, expected = checkpoint
    got = logits_of(build(folder, "torch"), TOKENS, chunks, list(range(10)))
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_cpu_backend_is_close_to_transformers(checkpoint):
    """Weights to 11 bits and activations to 12 or more lose a little; a wrong layout loses all."""
    folder, expected = checkpoint
    got = logits_of(build(folder, "cpu"), TOKENS, [150], list(range(10)))
    error = np.sqrt(np.mean((got - expected) ** 2)) / expected.std()
    assert error < 1e-2


def test_the_cpu_backend_refuses_a_shape_by_its_numbers(tmp_path):
    config = LlamaConfig(**SHAPE | {"hidden_size": 80, "num_hidden_layers": 1}, head_dim=8)
    folder = save(LlamaForCausalLM(config), tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"head_dim to be a multiple of 16.* 8, 80, 96, 32:"):
        build(folder, "cpu")


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
