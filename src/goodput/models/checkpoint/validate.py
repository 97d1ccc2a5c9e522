"""Checks that hold for a model's shape whatever file it came from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.base import FloatArray
from goodput.models.config import ModelConfig

# Far above every published model: a number beyond it is damage, and must not size an allocation.
_LARGEST = 1 << 27
_MOST_LAYERS = 1 << 14


def check_config(config: ModelConfig, path: Path) -> ModelConfig:
    """Return ``config``; raise CheckpointError naming ``path`` and the field that cannot be."""
    for name in (
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "layers",
        "heads",
        "kv_heads",
        "head_dim",
        "context_length",
    ):
        value = getattr(config, name)
        if not 1 <= value <= _LARGEST:
            raise CheckpointError(f"{path}: {name} is {value}, which no model has")
    check_layers(config.layers, path)
    if config.heads % config.kv_heads:
        raise CheckpointError(
            f"{path}: {config.heads} heads cannot share {config.kv_heads} key-value heads"
        )
    if config.head_dim % 2:
        raise CheckpointError(f"{path}: rotary positions need an even head_dim, {config.head_dim}")
    positive = ["rms_norm_eps", "rope_theta", "embedding_scale", "rope_linear_factor"]
    positive += [n for n in ("query_scale", "local_rope_theta") if getattr(config, n) is not None]
    for name in positive:
        value = getattr(config, name)
        if not 0 < value < float("inf"):
            raise CheckpointError(f"{path}: {name} is {value}; it must be positive")
    if config.local_layers and not 1 <= (config.sliding_window or 0) <= _LARGEST:
        raise CheckpointError(
            f"{path}: sliding_window is {config.sliding_window}, which no model with "
            "sliding-window layers has"
        )
    return config


def check_layers(layers: int, path: Path) -> None:
    """Raise CheckpointError for a number of layers that is damage; call it before a loop."""
    if not 1 <= layers <= _MOST_LAYERS:
        raise CheckpointError(f"{path}: layers is {layers}, which no model has")


def sized_within_window(context: int, window: int | None) -> int:
    """The context in which sliding-window attention equals full attention (tokens).

    For families whose every layer has the window: inside of it there is no difference.
    """
    return context if not window else min(context, window)


def check_finite(values: FloatArray, path: Path, name: str) -> FloatArray:
    """Return ``values``; raise CheckpointError when one is NaN or infinite.

    Such a weight is damage, and would turn every answer into noise without a word.
    """
    if not np.isfinite(values).all():
        raise CheckpointError(f"{path} is damaged: {name} holds numbers that are not finite")
    return values
