"""Weights that a checkpoint stores in four bits, as they are: levels, scales and offsets.

The layouts are those of ggml's block formats: 32 weights with a float16 scale (Q4_0), with a scale
and a minimum (Q4_1), or 8 such groups that share both, with 6-bit factors (Q4_K).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind

from goodput.models.checkpoint.base import GROUP, FloatArray, FourBitWeights

Bytes = npt.NDArray[np.uint8]


def read_four_bit(data: Bytes, kind: Kind, n: int, k: int) -> FourBitWeights | None:
    """Take a GGUF tensor's blocks apart; None when its type is not one of four bits."""
    reader = {Kind.Q4_0: _q4_0, Kind.Q4_1: _q4_1, Kind.Q4_K: _q4_k}.get(kind)
    if reader is None:
        return None
    levels, scales, offsets = reader(np.ascontiguousarray(data).reshape(-1))
    return FourBitWeights(
        levels.reshape(n, k), scales.reshape(n, k // GROUP), offsets.reshape(n, k // GROUP)
    )


def _halves(packed: Bytes) -> Bytes:
    """[.., m] bytes to [.., 2 m] levels: the low halves of all, then the high ones."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def _float16(data: Bytes) -> FloatArray:
    return np.ascontiguousarray(data).view(np.float16).astype(np.float32)


def _q4_0(data: Bytes) -> tuple[Bytes, FloatArray, FloatArray]:
    blocks = data.reshape(-1, 18)
    scales = _float16(blocks[:, :2])
    return _halves(blocks[:, 2:]), scales, -8.0 * scales


def _q4_1(data: Bytes) -> tuple[Bytes, FloatArray, FloatArray]:
    blocks = data.reshape(-1, 20)
    return _halves(blocks[:, 4:]), _float16(blocks[:, :2]), _float16(blocks[:, 2:4])


def _q4_k(data: Bytes) -> tuple[Bytes, FloatArray, FloatArray]:
    blocks = data.reshape(-1, 144)
    packed = blocks[:, 4:16].reshape(-1, 3, 4)
    low, middle, high = packed[:, 0], packed[:, 1], packed[:, 2]
    factors = np.concatenate([low & 63, (high & 15) | ((low >> 6) << 4)], axis=1)
    minima = np.concatenate([middle & 63, (high >> 4) | ((middle >> 6) << 4)], axis=1)
    levels = _halves(blocks[:, 16:].reshape(-1, 4, 32))
    scales = _float16(blocks[:, :2]) * factors
    return levels, scales, -_float16(blocks[:, 2:4]) * minima
