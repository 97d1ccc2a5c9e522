"""Rotary position tables (Su et al., 2021), with Llama 3's and linear frequency scaling."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from goodput.models.config import ModelConfig, RopeScaling

FloatArray = npt.NDArray[np.float32]


def rotary_tables(config: ModelConfig, *, local: bool = False) -> tuple[FloatArray, FloatArray]:
    """Cosines and sines: float32 [context_length, head_dim / 2], computed in float64.

    ``local`` asks for those of the sliding-window layers, whose frequencies are never scaled.
    """
    theta = config.rope_theta
    if local and config.local_rope_theta is not None:
        theta = config.local_rope_theta
    exponents = np.arange(0, config.head_dim, 2, dtype=np.float64) / config.head_dim
    frequencies = theta**-exponents
    if not local:
        frequencies /= config.rope_linear_factor
        if config.rope_scaling is not None:
            frequencies = _scaled(frequencies, config.rope_scaling)
    angles = np.outer(np.arange(config.context_length, dtype=np.float64), frequencies)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _scaled(frequencies: npt.NDArray[np.float64], scaling: RopeScaling) -> npt.NDArray[np.float64]:
    """Llama 3.1: long waves are stretched by ``factor``, short ones kept, blended between."""
    wavelengths = 2 * math.pi / frequencies
    turns = scaling.original_max_position / wavelengths
    blend = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
    blend = np.clip(blend, 0.0, 1.0)
    return (1 - blend) * frequencies / scaling.factor + blend * frequencies
