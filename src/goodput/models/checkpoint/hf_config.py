"""ModelConfig from a Hugging Face ``config.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import gemma3
from goodput.models.checkpoint.hf_fields import ConfigJson
from goodput.models.checkpoint.hf_gemma3 import read_gemma3
from goodput.models.checkpoint.hf_rope import read_rope
from goodput.models.checkpoint.json_files import read_object
from goodput.models.checkpoint.validate import check_config, sized_within_window
from goodput.models.config import ModelConfig

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", gemma3.MODEL_TYPE)
# What transformers takes when the file is silent, where it is not hidden_size / heads.
_HEAD_DIMS = {"qwen3": 128, gemma3.MODEL_TYPE: 256}


def read_hf_config(path: Path, *, has_lm_head: bool) -> ModelConfig:
    """Read ``config.json`` at ``path``.

    ``has_lm_head`` settles tied embeddings where the file is silent. Raises CheckpointError naming
    the field that is missing or not supported.
    """
    data = read_object(path)
    architecture = data.get("model_type")
    if architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{path}: the model_type {architecture!r} is not supported; "
            f"goodput reads {', '.join(ARCHITECTURES)}"
        )
    is_gemma = architecture == gemma3.MODEL_TYPE
    try:
        raw = msgspec.convert(data, ConfigJson)
        rope = read_rope(raw, path, gemma3.ROPE_THETA if is_gemma else 10_000.0)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: {error}") from None
    _refuse_unsupported(raw, path, is_gemma=is_gemma)
    features = (
        read_gemma3(raw, rope, path, names_window="sliding_window" in data)
        if is_gemma
        else _llama_features(raw)
    )
    eos = [raw.eos_token_id] if isinstance(raw.eos_token_id, int) else raw.eos_token_id or []
    heads = raw.num_attention_heads
    config = ModelConfig(
        architecture=raw.model_type,
        vocab_size=raw.vocab_size,
        hidden_size=raw.hidden_size,
        intermediate_size=raw.intermediate_size,
        layers=raw.num_hidden_layers,
        heads=heads,
        kv_heads=heads if raw.num_key_value_heads is None else raw.num_key_value_heads,
        head_dim=_head_dim(raw),
        context_length=_context_length(raw),
        rms_norm_eps=raw.rms_norm_eps,
        rope_theta=rope.theta,
        rope_scaling=rope.scaling,
        rope_linear_factor=rope.linear_factor,
        tie_embeddings=(
            not has_lm_head if raw.tie_word_embeddings is None else raw.tie_word_embeddings
        ),
        qkv_bias=raw.model_type == "qwen2",
        bos_token_id=raw.bos_token_id,
        eos_token_ids=tuple(eos),
        **features,
    )
    return check_config(config, path)


def _refuse_unsupported(raw: ConfigJson, path: Path, *, is_gemma: bool) -> None:
    for refused in ("attention_bias", "mlp_bias"):
        if getattr(raw, refused):
            raise CheckpointError(f"{path}: {refused} is not supported")
    if not is_gemma and (raw.hidden_act or "silu") != "silu":
        raise CheckpointError(f"{path}: the hidden_act {raw.hidden_act!r} is not supported")


def _llama_features(raw: ConfigJson) -> dict[str, Any]:
    return {"qk_norm": raw.model_type == "qwen3"}


def _head_dim(raw: ConfigJson) -> int:
    if raw.head_dim is not None:
        return raw.head_dim
    return _HEAD_DIMS.get(raw.model_type, raw.hidden_size // max(raw.num_attention_heads, 1))


def _context_length(raw: ConfigJson) -> int:
    if raw.model_type == gemma3.MODEL_TYPE:
        return raw.max_position_embeddings
    # Qwen names a window in every file and uses it only when it says so. A model that was trained
    # with windows in all layers, or in its last ones, is served within one window.
    windowed = raw.model_type == "mistral" or raw.use_sliding_window
    return sized_within_window(
        raw.max_position_embeddings, raw.sliding_window if windowed else None
    )
