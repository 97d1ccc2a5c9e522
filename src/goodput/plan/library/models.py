"""Shapes of models (``data/models.json``), and what they come to in parameters and bytes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

_DATA = Path(__file__).with_name("data") / "models.json"
# Weights and KV in bfloat16.
BYTES_PER_NUMBER = 2


class ModelShape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dense transformer decoder. ``mlp_matrices`` is 3 for a gated MLP, else 2; ``tied``: the
    output projection is the embedding. ``source`` says where the figures are from."""

    name: str = ""
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    mlp: int
    mlp_matrices: int
    vocabulary: int
    tied: bool
    context_length: int
    source: str

    @property
    def layer_parameters(self) -> int:
        """Parameters of all layers' matrices: each token is multiplied with all of them."""
        attention = self.hidden * self.head_size * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + self.mlp_matrices * self.hidden * self.mlp)

    @property
    def head_parameters(self) -> int:
        """Parameters of the output projection: each sampled token is multiplied with them."""
        return self.hidden * self.vocabulary

    @property
    def parameters(self) -> int:
        """All of them but norms, biases and learned positions, which are under a percent."""
        return self.layer_parameters + self.head_parameters * (1 if self.tied else 2)

    @property
    def kv_bytes_per_token(self) -> int:
        """Keys and values of one token in all layers."""
        return 2 * self.layers * self.kv_heads * self.head_size * BYTES_PER_NUMBER

    @property
    def flops_per_pair(self) -> int:
        """Of one query-key pair in all layers: two products of ``head_size`` a head."""
        return 4 * self.layers * self.heads * self.head_size


@cache
def model_shapes() -> dict[str, ModelShape]:
    """All that are known, by name."""
    found = msgspec.json.decode(_DATA.read_bytes(), type=dict[str, ModelShape])
    return {name: msgspec.structs.replace(one, name=name) for name, one in found.items()}
