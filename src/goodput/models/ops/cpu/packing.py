"""From float weights to int8 panels with one scale per output channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goodput.models.ops.cpu.gemm_tiles import PANEL

WEIGHT_LIMIT = 127
_K_MULTIPLE = 16

Int8Array = npt.NDArray[np.int8]
FloatArray = npt.NDArray[np.float32]


def activation_limit(k: int) -> float:
    """Largest activation magnitude whose products over ``k`` inputs fit an int32 sum exactly.

    The product instruction multiplies 16-bit lanes, so activations keep up to 15 bits for free:
    13 to 15 bits for the shapes of small models, where 8 would lose accuracy for no speed.
    """
    return float(min(32_767, (2**31 - 1) // (WEIGHT_LIMIT * k)))


def pack(weight: FloatArray) -> tuple[Int8Array, FloatArray]:
    """Quantize [n, k] per output channel and lay it out for ``gemm_tiles``.

    Returns int8 [n' / 16, k / 2, 16, 2] and float32 scales [n'], n' being n rounded up to 16 with
    zero channels. Overwrites ``weight``. Raises ValueError when k is not a multiple of 16.
    """
    n, k = weight.shape
    if k % _K_MULTIPLE:
        raise ValueError(f"inner dimension {k} is not a multiple of {_K_MULTIPLE}")
    padded = -(-n // PANEL) * PANEL
    scales = np.zeros(padded, np.float32)
    scales[:n] = np.abs(weight).max(axis=1) / WEIGHT_LIMIT
    quantized = np.zeros((padded, k), np.int8)
    divisor = np.where(scales[:n] > 0, scales[:n], 1)
    np.rint(weight / divisor[:, None], out=weight)
    quantized[:n] = weight
    panels = quantized.reshape(padded // PANEL, PANEL, k // 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(panels), scales
