"""Gemma 3's own keys of a GGUF file."""

from __future__ import annotations

from typing import Any

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import gemma3
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.checkpoint.gguf_metadata import Metadata
from goodput.models.checkpoint.validate import check_layers

_PATTERN = "attention.sliding_window_pattern"
# The files have no key for it: the 27B model, known by its depth, scales queries by the width of
# hidden_size / heads, all others by that of a head.
_LAYERS_OF_27B = 62


def read_gemma3(
    file: GgufFile, read: Metadata, *, hidden: int, layers: int, heads: int, head_dim: int
) -> dict[str, Any]:
    """Keyword arguments of ModelConfig; CheckpointError names a key that is not supported."""
    check_layers(layers, file.path)
    for refused in ("attn_logit_softcapping", "final_logit_softcapping"):
        if read.number(refused, 0):
            raise CheckpointError(f"{file.path}: gemma3.{refused} is not supported")
    window = read.integer("attention.sliding_window", 0) or None
    scaled_by = hidden / max(heads, 1) if layers == _LAYERS_OF_27B else head_dim
    return gemma3.gemma3_features(
        hidden_size=hidden,
        query_scale=max(scaled_by, 1) ** -0.5,
        sliding_window=window,
        local=_local_layers(file, read, layers) if window else (),
        local_rope_theta=read.number("rope.freq_base_swa", gemma3.LOCAL_ROPE_THETA),
    )


def _local_layers(file: GgufFile, read: Metadata, layers: int) -> tuple[int, ...]:
    """By a period (or none stated), or layer by layer: an array that is true for local ones."""
    flags = file.numbers(f"gemma3.{_PATTERN}")
    if flags is None:
        return gemma3.local_layers(layers, max(read.integer(_PATTERN, gemma3.GLOBAL_EVERY), 1))
    if len(flags) != layers:
        raise CheckpointError(
            f"{file.path}: gemma3.{_PATTERN} has {len(flags)} values for {layers} layers"
        )
    return tuple(layer for layer, is_local in enumerate(flags.tolist()) if is_local)
