"""What makes a Gemma 3 out of a Llama, the same in every checkpoint format."""

from __future__ import annotations

from typing import Any

MODEL_TYPE = "gemma3_text"

# What the family has where a file is silent.
GLOBAL_EVERY = 6
ROPE_THETA = 1_000_000.0
LOCAL_ROPE_THETA = 10_000.0


def local_layers(layers: int, global_every: int) -> tuple[int, ...]:
    """The sliding-window layers: all but each ``global_every``-th."""
    return tuple(layer for layer in range(layers) if (layer + 1) % global_every)


def gemma3_features(
    *,
    hidden_size: int,
    query_scale: float,
    sliding_window: int | None,
    local: tuple[int, ...],
    local_rope_theta: float,
) -> dict[str, Any]:
    """Keyword arguments of ModelConfig that every Gemma 3 has.

    Its norms multiply by one more than the stored weight; readers give the sum, so that no
    backend needs to know (GGUF files hold the sum already).
    """
    return {
        "activation": "gelu_tanh",
        "qk_norm": True,
        "post_norms": True,
        "embedding_scale": hidden_size**0.5,
        "query_scale": query_scale,
        "sliding_window": sliding_window if local else None,
        "local_layers": local,
        "local_rope_theta": local_rope_theta if local else None,
    }
