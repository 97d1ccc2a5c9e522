"""The decoder of all architectures, written once over a backend's operations."""

from __future__ import annotations

from goodput.models.ops.base import Hidden, Ops, Rows


def transform(ops: Ops[Rows, Hidden], rows: Rows) -> Hidden:
    """A step from ``rows`` to the logits of those that are sampled; writes the KV pool."""
    hidden = ops.embed(rows)
    for layer in range(ops.layers):
        ops.attention(layer, hidden, rows)
        ops.mlp(layer, hidden)
    return ops.logits(hidden, rows)
