"""ModelConfig from a Hugging Face ``config.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.json_files import read_object
from goodput.models.checkpoint.validate import check_config, sized_within_window
from goodput.models.config import ModelConfig, RopeScaling

ARCHITECTURES = ("llama", "mistral", "qwen2")


class _ConfigJson(msgspec.Struct, frozen=True):
    """The fields that matter, with the defaults that transformers has for these families."""

    model_type: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    rms_norm_eps: float = 1e-6
    rope_theta: float | None = None
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None
    tie_word_embeddings: bool | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    hidden_act: str = "silu"
    sliding_window: int | None = None
    use_sliding_window: bool = False
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None


class _Llama3Rope(msgspec.Struct, frozen=True):
    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position_embeddings: int


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
    try:
        raw = msgspec.convert(data, _ConfigJson)
        scaling, theta = _rope(raw, path)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: {error}") from None
    for refused in ("attention_bias", "mlp_bias"):
        if getattr(raw, refused):
            raise CheckpointError(f"{path}: {refused} is not supported")
    if raw.hidden_act != "silu":
        raise CheckpointError(f"{path}: the hidden_act {raw.hidden_act!r} is not supported")
    # Qwen 2 names a window in every file and uses it only when it says so.
    windowed = raw.model_type == "mistral" or raw.use_sliding_window
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
        head_dim=raw.hidden_size // max(heads, 1) if raw.head_dim is None else raw.head_dim,
        context_length=sized_within_window(
            raw.max_position_embeddings, raw.sliding_window if windowed else None
        ),
        rms_norm_eps=raw.rms_norm_eps,
        rope_theta=theta,
        rope_scaling=scaling,
        tie_embeddings=(
            not has_lm_head if raw.tie_word_embeddings is None else raw.tie_word_embeddings
        ),
        qkv_bias=raw.model_type == "qwen2",
        bos_token_id=raw.bos_token_id,
        eos_token_ids=tuple(eos),
    )
    return check_config(config, path)


def _rope(raw: _ConfigJson, path: Path) -> tuple[RopeScaling | None, float]:
    """Scaling and theta; transformers 5 keeps both in ``rope_parameters``."""
    fields = raw.rope_parameters or raw.rope_scaling or {}
    theta = raw.rope_theta if raw.rope_theta is not None else fields.get("rope_theta", 10_000.0)
    theta = msgspec.convert(theta, float)
    kind: Literal["default", "llama3"] | Any = fields.get(
        "rope_type", fields.get("type", "default")
    )
    if kind == "default":
        return None, theta
    if kind != "llama3":
        raise CheckpointError(f"{path}: the rope scaling {kind!r} is not supported")
    llama3 = msgspec.convert(fields, _Llama3Rope)
    scaling = RopeScaling(
        factor=llama3.factor,
        low_freq_factor=llama3.low_freq_factor,
        high_freq_factor=llama3.high_freq_factor,
        original_max_position=llama3.original_max_position_embeddings,
    )
    return scaling, theta
