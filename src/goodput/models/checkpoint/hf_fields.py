"""The fields of a Hugging Face ``config.json`` that matter here."""

from __future__ import annotations

from typing import Any

import msgspec


class ConfigJson(msgspec.Struct, frozen=True):
    """Fields with the defaults that transformers has for these families; the rest is skipped."""

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
    hidden_act: str | None = None
    sliding_window: int | None = None
    use_sliding_window: bool = False
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    # Gemma 3
    hidden_activation: str | None = None
    layer_types: list[str] | None = None
    sliding_window_pattern: int | None = None
    query_pre_attn_scalar: float = 256.0
    rope_local_base_freq: float | None = None
    attn_logit_softcapping: float | None = None
    final_logit_softcapping: float | None = None
    use_bidirectional_attention: bool | None = None
