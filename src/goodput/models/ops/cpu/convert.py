"""From a checkpoint to the tensors that this backend maps: quantized once, then shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.base import Checkpoint
from goodput.models.ops.cpu.packing import pack

Array = npt.NDArray[np.generic]


def convert(checkpoint: Checkpoint, step: Callable[[], None]) -> Iterator[tuple[str, Array]]:
    """Yield named arrays, calling ``step`` after each layer.

    embed float16 [vocab, hidden]; per layer two norms and four packed matrices (qkv and gate_up
    joined along their outputs); final norm; packed head.
    """
    config = checkpoint.config
    if config.head_dim % 16 or config.hidden_size % 16 or config.intermediate_size % 16:
        raise CheckpointError(
            "the cpu backend needs head_dim, hidden_size and intermediate_size to be multiples of "
            f"16, this model has {config.head_dim}, {config.hidden_size}, "
            f"{config.intermediate_size}; use --backend torch"
        )
    embedding = checkpoint.tensor("model.embed_tokens.weight")
    yield "embed", embedding.astype(np.float16)
    head = embedding if config.tie_embeddings else checkpoint.tensor("lm_head.weight")
    yield from _packed("head", head)
    del embedding, head
    for layer in range(config.layers):
        source, target = f"model.layers.{layer}", f"layers.{layer}"
        attention = f"{source}.self_attn"
        names = ("q_proj", "k_proj", "v_proj")
        yield f"{target}.attention_norm", checkpoint.tensor(f"{source}.input_layernorm.weight")
        yield f"{target}.mlp_norm", checkpoint.tensor(f"{source}.post_attention_layernorm.weight")
        qkv = [checkpoint.tensor(f"{attention}.{name}.weight") for name in names]
        yield from _packed(f"{target}.qkv", np.concatenate(qkv))
        if config.qkv_bias:
            biases = [checkpoint.tensor(f"{attention}.{name}.bias") for name in names]
            yield f"{target}.qkv.bias", np.concatenate(biases)
        yield from _packed(f"{target}.output", checkpoint.tensor(f"{attention}.o_proj.weight"))
        mlp = f"{source}.mlp"
        pair = [checkpoint.tensor(f"{mlp}.{name}.weight") for name in ("gate_proj", "up_proj")]
        yield from _packed(f"{target}.gate_up", np.concatenate(pair))
        yield from _packed(f"{target}.down", checkpoint.tensor(f"{mlp}.down_proj.weight"))
        step()
    yield "norm", checkpoint.tensor("model.norm.weight")


def _packed(name: str, weight: npt.NDArray[np.float32]) -> Iterator[tuple[str, Array]]:
    panels, scales = pack(weight)
    yield f"{name}.weight", panels
    yield f"{name}.scale", scales
