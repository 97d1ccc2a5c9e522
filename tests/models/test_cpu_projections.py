"""Packed weights and integer products of the CPU backend, against NumPy on the same integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.models.checkpoint.base import GROUP, FourBitWeights
from goodput.models.ops.cpu import packing, projections

N, K = 48, 96


def four_bit(seed: int) -> FourBitWeights:
    random = np.random.default_rng(seed)
    scales = random.uniform(0, 0.1, (N, K // GROUP)).astype(np.float32)
    offsets = random.uniform(-1, 0.2, (N, K // GROUP)).astype(np.float32)
    return FourBitWeights(random.integers(0, 16, (N, K), np.uint8), scales, offsets)


def eight_bit(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    spread = random.uniform(0.01, 2, (N, K // GROUP, 1))
    return (
        (random.standard_normal((N, K // GROUP, GROUP)) * spread).reshape(N, K).astype(np.float32)
    )


def packed(kind: int, seed: int) -> tuple[packing.Packed, np.ndarray]:
    """The packed matrix, and the float weights that it stands for."""
    if kind == projections.FOUR_BIT:
        weights = four_bit(seed)
        return packing.pack_four_bit(weights), weights.dequantized()
    weights = eight_bit(seed)
    return packing.pack_eight_bit(weights.copy()), weights


def widened(kind: int, matrix: packing.Packed) -> np.ndarray:
    """int16 [N, K], as the kernels make them."""
    widen = projections._widen_four if kind == projections.FOUR_BIT else projections._widen_eight
    from numba import njit

    @njit
    def run(address, groups, out):
        widen(address, groups, out)

    panels = []
    for panel in matrix.panels:
        out = np.empty((K // 2, 16, 2), np.int16)
        panel = np.ascontiguousarray(panel)
        run(panel.ctypes.data, K // GROUP, out.ctypes.data)
        panels.append(out.transpose(1, 0, 2).reshape(16, K))
    return np.concatenate(panels)


def multiply(kind, matrix, quantized, row_scales, out, add, threads=1):
    scratch = np.empty(K * 16, np.int16)
    for thread in range(threads):
        projections.multiply(
            thread,
            threads,
            quantized.ctypes.data,
            row_scales.ctypes.data,
            len(quantized),
            K,
            kind,
            matrix.panels.ctypes.data,
            matrix.scales.ctypes.data,
            N // 16,
            out.ctypes.data,
            N,
            add,
            scratch.ctypes.data,
        )


KINDS = pytest.mark.parametrize("kind", [projections.EIGHT_BIT, projections.FOUR_BIT])


@KINDS
def test_widened_weights_are_the_stored_ones_to_eleven_bits(kind):
    matrix, weights = packed(kind, 3)
    integers = widened(kind, matrix)
    assert np.abs(integers).max() <= packing.WEIGHT_LIMIT
    unit = matrix.scales[:, None]
    # Half a unit for the product's rounding, half for the offset's, half for the scale's own.
    stored_error = 0 if kind == projections.FOUR_BIT else np.abs(weights).max(axis=1) / 254
    bound = 1.51 * unit[:, 0] + stored_error
    assert (np.abs(integers * unit - weights).max(axis=1) <= bound).all()


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from([projections.EIGHT_BIT, projections.FOUR_BIT]),
    rows=st.integers(1, 15),
    threads=st.integers(1, 3),
    add=st.booleans(),
    seed=st.integers(0, 5),
)
def test_products_are_exact_for_any_number_of_rows_and_threads(kind, rows, threads, add, seed):
    matrix, _ = packed(kind, seed)
    random = np.random.default_rng(seed)
    limit = int(packing.activation_limit(K))
    quantized = random.integers(-limit, limit + 1, (rows, K)).astype(np.int16)
    row_scales = random.uniform(0.1, 1, rows).astype(np.float32)
    before = random.standard_normal((rows, N)).astype(np.float32)
    out = before.copy()
    multiply(kind, matrix, quantized, row_scales, out, add, threads)
    sums = quantized.astype(np.int64) @ widened(kind, matrix).T.astype(np.int64)
    assert np.abs(sums).max() < 2**31
    scales = row_scales[:, None] * matrix.scales
    expected = sums.astype(np.float32).astype(np.float64) * scales + (before if add else 0)
    assert np.array_equal(out, expected.astype(np.float32))


def test_the_largest_activations_do_not_overflow():
    weights = np.ones((N, K), np.float32)
    matrix = packing.pack_eight_bit(weights)
    limit = int(packing.activation_limit(K))
    quantized = np.full((2, K), limit, np.int16)
    out = np.empty((2, N), np.float32)
    multiply(projections.EIGHT_BIT, matrix, quantized, np.ones(2, np.float32), out, False)
    assert np.allclose(out, limit * K, rtol=1e-3)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="inner dimension 40 is not a multiple of 32"):
        packing.pack_eight_bit(np.ones((16, 40), np.float32))


def test_stored_eight_bit_groups_are_kept_as_they_are():
    """What Q8_0 holds comes back level by level."""
    random = np.random.default_rng(0)
    levels = random.integers(-127, 128, (16, 3, GROUP))
    levels[:, :, 0] = 127
    scales = random.uniform(0.5, 1, (16, 3, 1)).astype(np.float16).astype(np.float32)
    matrix = packing.pack_eight_bit((levels * scales).reshape(16, 96).astype(np.float32))
    stored = matrix.panels[0, :, 32:].reshape(3, 16, 16, 2).transpose(2, 0, 1, 3).reshape(16, 96)
    assert np.array_equal(stored, levels.reshape(16, 96))
