"""The one face of a checkpoint, whatever file format it is stored in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from goodput.models.config import ModelConfig

FloatArray = npt.NDArray[np.float32]


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
