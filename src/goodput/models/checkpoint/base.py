"""The one face of a checkpoint, whatever file format it is stored in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from goodput.models.config import ModelConfig

FloatArray = npt.NDArray[np.float32]

GROUP = 32
"""Neighbouring inputs of a channel that share a scale in four-bit formats."""


@dataclass(frozen=True, slots=True)
class FourBitWeights:
    """weight[n, k] = scales[n, k // 32] * levels[n, k] + offsets[n, k // 32].

    levels: uint8 0..15, [n, k]; scales and offsets: float32 [n, k / 32].
    """

    levels: npt.NDArray[np.uint8]
    scales: FloatArray
    offsets: FloatArray

    def dequantized(self) -> FloatArray:
        """float32 [n, k]."""
        n, k = self.levels.shape
        grouped = self.levels.reshape(n, k // GROUP, GROUP).astype(np.float32)
        values = grouped * self.scales[:, :, None] + self.offsets[:, :, None]
        return values.reshape(n, k)


class Checkpoint(Protocol):
    """Weights and hyperparameters of one model.

    Tensor names and layouts are Hugging Face's (``model.layers.0.self_attn.q_proj.weight``,
    shape [out, in], rotary halves in HF order). Tied embeddings have no ``lm_head.weight``.
    """

    config: ModelConfig

    @property
    def fingerprint(self) -> str:
        """A short hex digest that changes when the weights do; names cached conversions."""
        ...

    def names(self) -> Iterator[str]: ...

    def tensor(self, name: str) -> FloatArray:
        """The tensor in float32, dequantized if needed; a fresh array owned by the caller.

        Raises CheckpointError when it is missing or its type is not supported (named).
        """
        ...

    def four_bit(self, name: str) -> FourBitWeights | None:
        """The matrix as it is stored, if that is in four bits; it equals ``tensor(name)``."""
        ...
