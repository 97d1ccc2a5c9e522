"""The Llama-family decoder, written once over a backend's operations."""

from __future__ import annotations

from typing import Any

from goodput.models.ops.base import FloatArray, ForwardBatch, Ops


class Transformer:
    """Implements :class:`~goodput.models.ops.base.Decoder` over a backend's operations."""

    def __init__(self, ops: Ops[Any]) -> None:
        self._ops = ops

    def forward(self, batch: ForwardBatch) -> FloatArray:
        ops = self._ops
        hidden = ops.embed(batch)
        for layer in range(ops.layers):
            ops.attention(layer, hidden, batch)
            ops.mlp(layer, hidden)
        return ops.logits(hidden, batch)
