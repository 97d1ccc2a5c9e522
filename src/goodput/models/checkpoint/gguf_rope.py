"""Rotary scaling from GGUF metadata."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.checkpoint.gguf_metadata import Metadata
from goodput.models.config import RopeScaling


def linear_factor(file: GgufFile, read: Metadata) -> float:
    """What positions are divided by; CheckpointError for a kind of scaling that is not linear."""
    kind = read.value("rope.scaling.type")
    factor = read.number("rope.scaling.factor", 1.0)
    if kind in (None, "none") or factor in (0, 1):
        return 1.0
    if kind != "linear":
        raise CheckpointError(f"{file.path}: the rope scaling {kind!r} is not supported")
    return factor


def llama3_scaling(file: GgufFile, head_dim: int, theta: float) -> RopeScaling | None:
    """Llama 3's scaling, found again from ``rope_freqs.weight``; None when there is none."""
    stored = file.tensors.get("rope_freqs.weight")
    if stored is None:
        return None
    # Llama 3 files hold the divisor of each frequency instead of the parameters that made it.
    divisors = np.asarray(stored.data, dtype=np.float32)
    largest = float(divisors.max()) if divisors.size else 1.0
    if not math.isfinite(largest):
        raise CheckpointError(f"{file.path}: rope_freqs.weight is damaged")
    if bool(np.all(divisors == 1)):
        return None
    scaling = RopeScaling(
        factor=largest, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position=8192
    )
    expected = _divisors(scaling, head_dim, theta)
    if divisors.shape != expected.shape or not np.allclose(divisors, expected, rtol=1e-3):
        raise CheckpointError(f"{file.path}: rope_freqs.weight is not Llama 3's frequency scaling")
    return scaling


def _divisors(scaling: RopeScaling, head_dim: int, theta: float) -> npt.NDArray[np.float64]:
    """What Llama 3's scaling divides each of the ``head_dim / 2`` frequencies by."""
    frequencies = theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    turns = scaling.original_max_position * frequencies / (2 * np.pi)
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    smooth = np.clip((turns - low) / (high - low), 0.0, 1.0)
    return np.asarray(1.0 / ((1.0 - smooth) / scaling.factor + smooth))
