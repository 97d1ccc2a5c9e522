"""The transformer and its backends, against the `transformers` library and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.small_models import (
    ARCHITECTURES,
    BEYOND_LLAMA,
    LLAMAS,
    TOKENS,
    expected_logits,
    random_model,
    save,
)
from tests.models.stepping import build, logits_of, step
from transformers import LlamaForCausalLM

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import open_checkpoint


def saved(request, tmp_path_factory):
    """A small random model as (folder, logits of `transformers` for TOKENS)."""
    model = random_model(request.param)
    folder = save(model, tmp_path_factory.mktemp(request.param))
    return folder, expected_logits(model)


checkpoint = pytest.fixture(scope="module", params=sorted(ARCHITECTURES))(saved)
llama = pytest.fixture(scope="module", params=sorted(LLAMAS))(saved)
beyond_llama = pytest.fixture(scope="module", params=sorted(BEYOND_LLAMA))(saved)


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


@pytest.mark.parametrize("chunks", [[150], [70, 1, 79], [1] * 30 + [40] * 3])
def test_reference_backend_equals_transformers(checkpoint, chunks):
    folder, expected = checkpoint
    got = logits_of(build(folder, "torch"), TOKENS, chunks, list(range(10)))
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_the_cpu_backend_refuses_what_it_does_not_know(beyond_llama):
    folder, _ = beyond_llama
    features = open_checkpoint(folder).config.beyond_llama()
    assert features
    with pytest.raises(CheckpointError, match="use --backend torch") as caught:
        build(folder, "cpu")
    assert all(feature in caught.value.message for feature in features)


def test_llamas_need_nothing_beyond(llama):
    assert open_checkpoint(llama[0]).config.beyond_llama() == []


def test_cpu_backend_is_close_to_transformers(llama):
    """Weights to 11 bits and activations to 12 or more lose a little; a wrong layout loses all."""
    folder, expected = llama
    got = logits_of(build(folder, "cpu"), TOKENS, [150], list(range(10)))
    error = np.sqrt(np.mean((got - expected) ** 2)) / expected.std()
    assert error < 1e-2


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
