"""What a step must know of each layer, as one row of numbers: addresses of its arrays, and facts.

Compiled code reads the row by the columns below; no Python object is touched within a step.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from goodput.models.config import ModelConfig
from goodput.models.ops.cpu.projections import EIGHT_BIT, FOUR_BIT

Array = npt.NDArray[np.generic]

ATTENTION_NORM, MLP_NORM, QKV, OUTPUT, GATE_UP, DOWN = 0, 1, 2, 5, 8, 11
"""Every layer has these. A matrix takes three columns: weights, channel scales, kind."""

QUERY_NORM, KEY_NORM, POST_ATTENTION_NORM, POST_MLP_NORM = 14, 15, 16, 17
"""Norms that only some families have; 0 where there is none."""

WINDOW, ROPE = 18, 19
"""How many positions a row sees, itself included; which of ``Buffers.cosines`` turns it."""


def layer_table(config: ModelConfig, weights: Mapping[str, Array]) -> npt.NDArray[np.int64]:
    """int64 [layers, 20]. Valid as long as the arrays of ``weights`` live."""
    return np.array([_row(config, weights, layer) for layer in range(config.layers)], np.int64)


def matrix_entry(weights: Mapping[str, Array], name: str) -> tuple[int, int, int]:
    """The three columns of the packed matrix ``name``."""
    panels, scales = weights[f"{name}.weight"], weights[f"{name}.scale"]
    kind = FOUR_BIT if panels.dtype == np.uint8 else EIGHT_BIT
    return int(panels.ctypes.data), int(scales.ctypes.data), kind


def _row(config: ModelConfig, weights: Mapping[str, Array], layer: int) -> list[int]:
    def norm(name: str) -> int:
        array = weights.get(f"layers.{layer}.{name}")
        return 0 if array is None else int(array.ctypes.data)

    local = layer in config.local_layers
    window = config.sliding_window if local else None
    matrices = [
        matrix_entry(weights, f"layers.{layer}.{name}")
        for name in ("qkv", "output", "gate_up", "down")
    ]
    return [
        *(norm(name) for name in ("attention_norm", "mlp_norm")),
        *(number for matrix in matrices for number in matrix),
        *(norm(name) for name in ("q_norm", "k_norm", "post_attention_norm", "post_mlp_norm")),
        config.context_length if window is None else window,
        int(local),
    ]
