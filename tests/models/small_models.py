"""Small random models of every architecture, made by `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SHAPE: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LINEAR_ROPE = {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 4.0}
# A window much shorter than TOKENS, and a query scale that is not the head's own.
GEMMA3: dict[str, Any] = SHAPE | {
    "head_dim": 32,
    "query_pre_attn_scalar": 20,
    "sliding_window": 24,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
}
GEMMA3_ROPE = {
    "sliding_attention": {"rope_type": "default", "rope_theta": 5_000.0},
    "full_attention": {"rope_type": "linear", "rope_theta": 50_000.0, "factor": 8.0},
}
ARCHITECTURES = {
    "llama": (LlamaForCausalLM, LlamaConfig(**SHAPE, tie_word_embeddings=True)),
    "llama3": (LlamaForCausalLM, LlamaConfig(**SHAPE, rope_parameters=LLAMA3_ROPE)),
    "mistral": (MistralForCausalLM, MistralConfig(**SHAPE, sliding_window=None)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SHAPE)),
    "llama-linear": (LlamaForCausalLM, LlamaConfig(**SHAPE, rope_parameters=LINEAR_ROPE)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**SHAPE, head_dim=32)),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig(**GEMMA3)),
    # Its own head: through a shared one it would say each token again and again.
    "gemma3-untied": (Gemma3ForCausalLM, Gemma3TextConfig(**GEMMA3, tie_word_embeddings=False)),
    "gemma3-linear": (
        Gemma3ForCausalLM,
        Gemma3TextConfig(**GEMMA3, rope_parameters=GEMMA3_ROPE),
    ),
}
TOKENS: list[int] = np.random.default_rng(3).integers(0, 300, 150).tolist()


def random_model(name: str) -> Any:
    """The model ``name`` of ARCHITECTURES: its biases and norms matter, its weights are 8-bit."""
    kind, config = ARCHITECTURES[name]
    torch.manual_seed(1)
    model = kind(config).float().eval()
    with torch.no_grad():  # biases and norms start at zeros and ones: make them matter
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
            else:  # as 8-bit groups of 32 inputs store them, so that packing loses little
                groups = parameter.view(len(parameter), -1, 32)
                scale = groups.abs().amax(dim=2, keepdim=True).clamp_min(1e-9) / 127
                groups.copy_(torch.round(groups / scale) * scale)
    return model


def expected_logits(model: Any) -> npt.NDArray[np.float32]:
    """What `transformers` gives for TOKENS: [150, 300]."""
    with torch.no_grad():
        logits: npt.NDArray[np.float32] = model(torch.tensor([TOKENS])).logits[0].numpy()
    return logits


def save(model: Any, folder: Path) -> Path:
    model.save_pretrained(folder, safe_serialization=True)
    return folder
