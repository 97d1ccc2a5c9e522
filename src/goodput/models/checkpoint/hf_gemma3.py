"""Gemma 3's own fields of a Hugging Face ``config.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import gemma3
from goodput.models.checkpoint.hf_fields import ConfigJson
from goodput.models.checkpoint.hf_rope import Rope
from goodput.models.checkpoint.validate import check_layers

_ACTIVATION = "gelu_pytorch_tanh"
_LOCAL, _GLOBAL = "sliding_attention", "full_attention"
_DEFAULT_WINDOW = 4096


def read_gemma3(raw: ConfigJson, rope: Rope, path: Path, *, names_window: bool) -> dict[str, Any]:
    """Keyword arguments of ModelConfig; CheckpointError names a field that is not supported.

    ``names_window``: the file has a sliding_window, be it null.
    """
    check_layers(raw.num_hidden_layers, path)
    for refused in ("attn_logit_softcapping", "final_logit_softcapping"):
        if getattr(raw, refused):
            raise CheckpointError(f"{path}: {refused} is not supported")
    if raw.use_bidirectional_attention:
        raise CheckpointError(f"{path}: use_bidirectional_attention is not supported")
    if (raw.hidden_activation or _ACTIVATION) != _ACTIVATION:
        raise CheckpointError(
            f"{path}: the hidden_activation {raw.hidden_activation!r} is not supported"
        )
    if not raw.query_pre_attn_scalar > 0:
        raise CheckpointError(
            f"{path}: query_pre_attn_scalar is {raw.query_pre_attn_scalar}; it must be positive"
        )
    return gemma3.gemma3_features(
        hidden_size=raw.hidden_size,
        query_scale=raw.query_pre_attn_scalar**-0.5,
        sliding_window=raw.sliding_window if names_window else _DEFAULT_WINDOW,
        local=_local_layers(raw, path),
        local_rope_theta=gemma3.LOCAL_ROPE_THETA if rope.local_theta is None else rope.local_theta,
    )


def _local_layers(raw: ConfigJson, path: Path) -> tuple[int, ...]:
    if raw.layer_types is None:
        every = raw.sliding_window_pattern or gemma3.GLOBAL_EVERY
        return gemma3.local_layers(raw.num_hidden_layers, every)
    if len(raw.layer_types) != raw.num_hidden_layers:
        raise CheckpointError(
            f"{path}: {len(raw.layer_types)} layer_types for {raw.num_hidden_layers} layers"
        )
    for kind in raw.layer_types:
        if kind not in (_LOCAL, _GLOBAL):
            raise CheckpointError(f"{path}: the layer type {kind!r} is not supported")
    return tuple(layer for layer, kind in enumerate(raw.layer_types) if kind == _LOCAL)
