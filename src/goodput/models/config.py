"""The shape of a decoder, read from any checkpoint format: Llama's, and what others add to it."""

from __future__ import annotations

from typing import Literal

import msgspec

Activation = Literal["silu", "gelu_tanh"]


class RopeScaling(msgspec.Struct, frozen=True, kw_only=True):
    """Llama 3's frequency scaling (``rope_type == "llama3"``)."""

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position: int


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Hyperparameters in Hugging Face's terms. ``architecture`` is its ``model_type``.

    ``head_dim`` is explicit because it need not be ``hidden_size / heads``. Every default is
    Llama's way.
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

    activation: Activation = "silu"
    """Applied to the gate: ``down(activation(gate(x)) * up(x))``."""
    qk_norm: bool = False
    """RMS norms over ``head_dim`` of every query and key head, before the rotary turn."""
    post_norms: bool = False
    """RMS norms of what attention and MLP give, before it is added to the residual stream."""
    embedding_scale: float = 1.0
    """Multiplies the embeddings of the input, not the shared matrix as the output head."""
    query_scale: float | None = None
    """Multiplies query-key products; None means ``head_dim ** -0.5``."""
    sliding_window: int | None = None
    """A local layer's position sees itself and the ``sliding_window - 1`` positions before it."""
    local_layers: tuple[int, ...] = ()
    """The layers with a sliding window, ascending; all others see everything before them."""
    local_rope_theta: float | None = None
    """``rope_theta`` of the local layers, which are never scaled; None: as the others."""
    rope_linear_factor: float = 1.0
    """Positions of the layers that are not local are divided by this."""

    @property
    def attention_scale(self) -> float:
        return self.head_dim**-0.5 if self.query_scale is None else self.query_scale

    @property
    def mlp_norm(self) -> str:
        """The tensor that normalizes the MLP's input; Gemma has another use for Llama's name."""
        return "pre_feedforward_layernorm" if self.post_norms else "post_attention_layernorm"
