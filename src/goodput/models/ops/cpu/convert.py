"""From a checkpoint to the arrays that the CPU decoder maps: packed once, then shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.base import GROUP, Checkpoint, FourBitWeights
from goodput.models.config import ModelConfig
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.packing import Packed, pack_eight_bit, pack_four_bit

Array = npt.NDArray[np.generic]


def convert(checkpoint: Checkpoint, step: Callable[[], None]) -> Iterator[tuple[str, Array]]:
    """Yield named arrays, calling ``step`` after each layer.

    embed float16 [vocab, hidden]; per layer two norms, those that only some families have, and
    four packed matrices (qkv and gate_up joined along their outputs); final norm; packed head.
    Matrices that the checkpoint stores in four bits stay in four bits; others become 8-bit groups.
    Raises CheckpointError for a shape that the kernels cannot take.
    """
    config = checkpoint.config
    attended = config.heads * config.head_dim
    widths = (config.hidden_size, config.intermediate_size, attended)
    if config.head_dim % PANEL or any(width % GROUP for width in widths):
        raise CheckpointError(
            f"the cpu backend needs head_dim to be a multiple of {PANEL}, and hidden_size, "
            f"intermediate_size and heads * head_dim of {GROUP}; this model has "
            f"{config.head_dim}, {config.hidden_size}, {config.intermediate_size}, {attended}: "
            "use --backend torch"
        )
    embedding = checkpoint.tensor("model.embed_tokens.weight")
    yield "embed", embedding.astype(np.float16)
    head = embedding if config.tie_embeddings else checkpoint.tensor("lm_head.weight")
    yield from _named("head", pack_eight_bit(head))
    del embedding, head
    for layer in range(config.layers):
        source, target = f"model.layers.{layer}", f"layers.{layer}"
        attention, mlp = f"{source}.self_attn", f"{source}.mlp"
        projections = [f"{attention}.{name}" for name in ("q_proj", "k_proj", "v_proj")]
        gates = [f"{mlp}.{name}" for name in ("gate_proj", "up_proj")]
        for name, stored in _norms(config).items():
            yield f"{target}.{name}", checkpoint.tensor(f"{source}.{stored}.weight")
        if config.qkv_bias:
            biases = [checkpoint.tensor(f"{name}.bias") for name in projections]
            yield f"{target}.qkv.bias", np.concatenate(biases)
        yield from _named(f"{target}.qkv", _joined(checkpoint, projections))
        yield from _named(f"{target}.output", _joined(checkpoint, [f"{attention}.o_proj"]))
        yield from _named(f"{target}.gate_up", _joined(checkpoint, gates))
        yield from _named(f"{target}.down", _joined(checkpoint, [f"{mlp}.down_proj"]))
        step()
    yield "norm", checkpoint.tensor("model.norm.weight")


def _norms(config: ModelConfig) -> dict[str, str]:
    """A layer's norms: our names, and the checkpoint's."""
    norms = {"attention_norm": "input_layernorm", "mlp_norm": config.mlp_norm}
    if config.qk_norm:
        norms |= {"q_norm": "self_attn.q_norm", "k_norm": "self_attn.k_norm"}
    if config.post_norms:
        norms |= {
            "post_attention_norm": "post_attention_layernorm",
            "post_mlp_norm": "post_feedforward_layernorm",
        }
    return norms


def _joined(checkpoint: Checkpoint, names: list[str]) -> Packed:
    """Several matrices as one, joined along their output channels."""
    parts = [checkpoint.four_bit(f"{name}.weight") for name in names]
    if all(part is not None for part in parts):
        known = [part for part in parts if part is not None]
        return pack_four_bit(
            FourBitWeights(
                np.concatenate([part.levels for part in known]),
                np.concatenate([part.scales for part in known]),
                np.concatenate([part.offsets for part in known]),
            )
        )
    return pack_eight_bit(np.concatenate([checkpoint.tensor(f"{name}.weight") for name in names]))


def _named(name: str, packed: Packed) -> Iterator[tuple[str, Array]]:
    yield f"{name}.weight", packed.panels
    yield f"{name}.scale", packed.scales
