"""The Llama-family decoder, written once over a backend's operations."""

from __future__ import annotations

from typing import Any

from goodput.models.ops.base import FloatArray, ForwardBatch, Ops


class Transformer:
    """Turns a batch of new tokens into next-token logits, reading and writing the KV pool."""

    def __init__(self, ops: Ops[Any]) -> None:
        self._ops = ops

    def forward(self, batch: ForwardBatch) -> FloatArray:
        """Logits of ``batch.sample_rows``: [len(sample_rows), vocab_size], valid until next call.

        Mutates the KV pool at the rows' positions.
        """
        ops = self._ops
        hidden = ops.embed(batch)
        for layer in range(ops.layers):
            ops.attention(layer, hidden, batch)
            ops.mlp(layer, hidden)
        return ops.logits(hidden, batch)
