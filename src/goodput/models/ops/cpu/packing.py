"""From a checkpoint's weights to the panels that the tiles read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goodput.models.checkpoint.base import GROUP, FourBitWeights
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.widening import (
    EIGHT_BIT_GROUP_BYTES,
    EIGHT_BIT_SHIFT,
    FOUR_BIT_GROUP_BYTES,
    FOUR_BIT_SHIFT,
)

WEIGHT_LIMIT = 1024
"""No widened weight is larger."""

_PEAK = 1023
_EIGHT_BIT_PEAK = 127

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Packed:
    """Panels as the tiles read them, and one float32 scale per (padded) output channel.

    panels: [n / 16, k / 32, bytes of a group], int8 for eight bits and uint8 for four
    (``widening.py``).
    """

    panels: npt.NDArray[np.generic]
    scales: FloatArray


def activation_limit(k: int) -> float:
    """Largest activation magnitude whose products over ``k`` inputs fit an int32 sum exactly.

    The product instruction multiplies 16-bit lanes, so activations keep more than 8 bits for free.
    """
    return float(min(32_767, (2**31 - 1) // (WEIGHT_LIMIT * k)))


def pack_eight_bit(weight: FloatArray) -> Packed:
    """Quantize [n, k] to int8 with one scale per group of 32 inputs of a channel.

    What a checkpoint stores in such groups (Q8_0) is kept as it is. n is padded to a multiple of 16
    with zero channels; k must be a multiple of 32 (ValueError).
    """
    n, k = weight.shape
    if k % GROUP:
        raise ValueError(f"inner dimension {k} is not a multiple of {GROUP}")
    padded, groups = -(-n // PANEL) * PANEL, k // GROUP
    grouped = weight.reshape(n, groups, GROUP)
    scales = np.abs(grouped).max(axis=2) / np.float32(_EIGHT_BIT_PEAK)
    levels = np.zeros((padded, k), np.int8)
    levels[:n] = np.rint(grouped / np.where(scales > 0, scales, 1)[:, :, None]).reshape(n, k)
    unit = np.zeros(padded, np.float32)
    unit[:n] = scales.max(axis=1) * np.float32(_EIGHT_BIT_PEAK / _PEAK)
    factors = np.zeros((padded, groups), np.int16)
    divisor = np.where(unit[:n] > 0, unit[:n], 1)[:, None]
    factors[:n] = np.rint(scales / divisor * (1 << EIGHT_BIT_SHIFT))
    panels = np.empty((padded // PANEL, groups, EIGHT_BIT_GROUP_BYTES), np.int8)
    # [panel, channel, group, pair, parity] to [panel, group, pair, channel, parity]
    pairs = levels.reshape(padded // PANEL, PANEL, groups, GROUP // 2, 2).transpose(0, 2, 3, 1, 4)
    panels[:, :, : 2 * PANEL] = _per_group(factors).view(np.int8)
    panels[:, :, 2 * PANEL :] = pairs.reshape(padded // PANEL, groups, -1)
    return Packed(panels, unit)


def pack_four_bit(weights: FourBitWeights) -> Packed:
    """Lay four-bit weights out as ``widening.py`` describes. n must be a multiple of 16."""
    n, k = weights.levels.shape
    if n % PANEL:
        raise ValueError(f"{n} output channels are not a multiple of {PANEL}")
    groups = k // GROUP
    middles = weights.offsets + 8 * weights.scales
    extremes = np.stack([middles - 8 * weights.scales, middles + 7 * weights.scales])
    peak = np.abs(extremes).max(axis=(0, 2))
    unit = np.where(peak > 0, peak / _PEAK, 1).astype(np.float32)
    factors = np.rint(weights.scales / unit[:, None] * (1 << FOUR_BIT_SHIFT)).astype(np.int16)
    offsets = np.rint(middles / unit[:, None]).astype(np.int16)
    signed = (weights.levels ^ 8).astype(np.uint16)  # level - 8, in four bits
    panels = np.empty((n // PANEL, groups, FOUR_BIT_GROUP_BYTES), np.uint8)
    # [panel, half, channel, group, vector, nibble, parity]
    nibbles = signed.reshape(n // PANEL, 2, 8, groups, 4, 4, 2)
    shifted = nibbles << (4 * np.arange(4, dtype=np.uint16))[:, None]
    # [panel, group, vector, half, channel, parity]
    lanes = np.bitwise_or.reduce(shifted, axis=5).transpose(0, 3, 4, 1, 2, 5)
    panels[:, :, : 2 * PANEL] = _per_group(factors)
    panels[:, :, 2 * PANEL : 4 * PANEL] = _per_group(offsets)
    panels[:, :, 4 * PANEL :] = _bytes(lanes).reshape(n // PANEL, groups, -1)
    return Packed(panels, unit)


def _per_group(values: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """[n, groups] to the bytes of [n / 16, groups, 16]."""
    n, groups = values.shape
    return _bytes(values.reshape(n // PANEL, PANEL, groups).transpose(0, 2, 1))


def _bytes(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(array).view(np.uint8)
