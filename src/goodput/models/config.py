"""The shape of a Llama-family model, read from any checkpoint format."""

from __future__ import annotations

import msgspec


class RopeScaling(msgspec.Struct, frozen=True, kw_only=True):
    """Llama 3's frequency scaling (``rope_type == "llama3"``)."""

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position: int


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Hyperparameters in Hugging Face's terms. ``architecture`` is its ``model_type``.

    ``head_dim`` is explicit because it need not be ``hidden_size / heads``.
    """

    architecture: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    context_length: int
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    tie_embeddings: bool = False
    qkv_bias: bool = False
    bos_token_id: int | None = None
    eos_token_ids: tuple[int, ...] = ()
