"""Four-bit blocks taken apart: levels, scales and offsets against the library's own dequantizer."""

from __future__ import annotations

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import quants

from goodput.models.catalog import resolve
from goodput.models.checkpoint.gguf_four_bit import read_four_bit
from goodput.models.checkpoint.open import open_checkpoint


@pytest.mark.parametrize("kind", [Kind.Q4_0, Kind.Q4_1, Kind.Q4_K])
def test_levels_scales_and_offsets_make_the_same_weights(kind):
    block, size = {Kind.Q4_0: (32, 18), Kind.Q4_1: (32, 20), Kind.Q4_K: (256, 144)}[kind]
    n, k = 6, 512
    data = np.random.default_rng(4).integers(0, 256, (n, k // block, size), np.uint8)
    finite = np.random.default_rng(5).uniform(-2, 2, (n, k // block, 2)).astype(np.float16)
    floats = 1 if kind is Kind.Q4_0 else 2
    data[:, :, : 2 * floats] = finite[:, :, :floats].copy().view(np.uint8)
    weights = read_four_bit(data, kind, n, k)
    assert weights.levels.max() == 15
    expected = quants.dequantize(data.reshape(n, -1), kind)
    np.testing.assert_allclose(weights.dequantized(), expected, rtol=1e-6, atol=1e-6)


def test_other_types_are_not_four_bit():
    assert read_four_bit(np.zeros((1, 34), np.uint8), Kind.Q8_0, 1, 32) is None


def test_rotary_order_is_the_tensors():
    checkpoint = open_checkpoint(resolve("smollm2:135m", pull=True))
    for part in ("q_proj", "k_proj", "v_proj"):
        name = f"model.layers.3.self_attn.{part}.weight"
        weights = checkpoint.four_bit(name)
        np.testing.assert_allclose(weights.dequantized(), checkpoint.tensor(name), atol=1e-6)
    assert checkpoint.four_bit("model.embed_tokens.weight") is None
