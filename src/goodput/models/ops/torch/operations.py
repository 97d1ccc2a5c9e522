"""The decoder's operations in torch: clear before fast. Everything else is checked against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from goodput.models.config import ModelConfig
from goodput.models.ops.torch.rows import Group, Rows, Turn, make_group
from goodput.models.rotary import rotary_tables


class TorchOps:
    """Implements :class:`~goodput.models.ops.base.Ops`; hidden is a tensor [rows, hidden_size].

    ``pool`` is the KV memory, [blocks, layers, 2, kv_heads, block_size, head_dim]
    (``kv/layout.py``): its device and type are those of the weights, keys, values and products.
    The residual stream, norms, rotary turns and logits are float32 whatever that type is, for
    they are small and sums over many layers lose most. Weights that are already of that type and
    on that device are used where they are mapped.
    """

    def __init__(
        self, config: ModelConfig, weights: Mapping[str, npt.NDArray[np.generic]], pool: Tensor
    ) -> None:
        self.layers = config.layers
        self.vocab_size = config.vocab_size
        self.pool = pool
        self.device = pool.device
        self.block_size = pool.shape[4]
        self._config = config
        self._weights = {
            name: torch.from_numpy(array).to(
                self.device, torch.float32 if name.endswith("norm.weight") else pool.dtype
            )
            for name, array in weights.items()
        }
        self._local = frozenset(config.local_layers)
        self._rotary = self._rotary_tables(local=False)
        self._local_rotary = self._rotary_tables(local=True) if self._local else self._rotary
        self._kv_heads = torch.arange(config.kv_heads, device=self.device)[:, None]

    def place(
        self,
        tokens: Tensor,
        positions: Tensor,
        groups: Iterable[tuple[Tensor, Tensor]],
        sample_rows: Tensor,
    ) -> Rows:
        """A step's rows, from tensors on this device: int64 all.

        ``groups``: pairs of rows [sequences, n] and block tables [sequences, width], which
        together have every row once.
        """
        config = self._config
        return Rows(
            tokens,
            [
                make_group(
                    rows,
                    tables,
                    positions,
                    block_size=self.block_size,
                    sharing=config.heads // config.kv_heads,
                    window=config.sliding_window if self._local else None,
                )
                for rows, tables in groups
            ],
            _turn(self._rotary, positions),
            _turn(self._local_rotary, positions),
            sample_rows,
        )

    def embed(self, rows: Rows) -> Tensor:
        embedded = functional.embedding(rows.tokens, self._weights["model.embed_tokens.weight"])
        return embedded.float() * self._config.embedding_scale

    def attention(self, layer: int, hidden: Tensor, rows: Rows) -> None:
        prefix, local = f"model.layers.{layer}", layer in self._local
        normed = self._norm(hidden, f"{prefix}.input_layernorm.weight").to(self.pool.dtype)
        query, key, value = (
            self._heads(normed, f"{prefix}.self_attn.{name}")
            for name in ("q_proj", "k_proj", "v_proj")
        )
        if self._config.qk_norm:
            query = self._norm(query, f"{prefix}.self_attn.q_norm.weight")
            key = self._norm(key, f"{prefix}.self_attn.k_norm.weight")
        turn = rows.local_turn if local else rows.turn
        query, key = (_rotate(x, turn).to(self.pool.dtype) for x in (query, key))
        keys, values = self.pool[:, layer, 0], self.pool[:, layer, 1]
        attended = torch.empty_like(query)
        for group in rows.groups:
            keys[group.blocks, :, group.offsets] = key[group.rows]
            values[group.blocks, :, group.offsets] = value[group.rows]
            mask = group.local_visible if local else group.visible
            attended[group.rows] = self._attend(query[group.rows], keys, values, group, mask)
        output = self._linear(attended.flatten(1), f"{prefix}.self_attn.o_proj")
        hidden += self._post_norm(output, f"{prefix}.post_attention_layernorm.weight")

    def mlp(self, layer: int, hidden: Tensor) -> None:
        prefix = f"model.layers.{layer}"
        normed = self._norm(hidden, f"{prefix}.{self._config.mlp_norm}.weight").to(self.pool.dtype)
        gate = self._linear(normed, f"{prefix}.mlp.gate_proj")
        up = self._linear(normed, f"{prefix}.mlp.up_proj")
        output = self._linear(self._activate(gate) * up, f"{prefix}.mlp.down_proj")
        hidden += self._post_norm(output, f"{prefix}.post_feedforward_layernorm.weight")

    def logits(self, hidden: Tensor, rows: Rows) -> Tensor:
        head = "model.embed_tokens" if self._config.tie_embeddings else "lm_head"
        normed = self._norm(hidden[rows.sample_rows], "model.norm.weight").to(self.pool.dtype)
        return self._linear(normed, head).float()

    def _linear(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias")
        return functional.linear(x, weight, bias)

    def _heads(self, x: Tensor, name: str) -> Tensor:
        return self._linear(x, name).view(len(x), -1, self._config.head_dim)

    def _norm(self, x: Tensor, weight: str) -> Tensor:
        x = x.float()
        mean = x.pow(2).mean(-1, keepdim=True)
        return x * torch.rsqrt(mean + self._config.rms_norm_eps) * self._weights[weight]

    def _post_norm(self, x: Tensor, weight: str) -> Tensor:
        return self._norm(x, weight) if self._config.post_norms else x

    def _activate(self, gate: Tensor) -> Tensor:
        if self._config.activation == "gelu_tanh":
            return functional.gelu(gate, approximate="tanh")
        return functional.silu(gate)

    def _rotary_tables(self, *, local: bool) -> Turn:
        cosines, sines = rotary_tables(self._config, local=local)
        return torch.from_numpy(cosines).to(self.device), torch.from_numpy(sines).to(self.device)

    def _attend(
        self, query: Tensor, keys: Tensor, values: Tensor, group: Group, mask: Tensor
    ) -> Tensor:
        """[sequences, n, heads, head_dim], for a query of that shape and one layer's pool.

        The query heads that share a key head become rows of one head: torch's ``enable_gqa`` with
        a mask would leave its memory-efficient kernel for one that holds every score.
        """
        sequences, n, heads, head_dim = query.shape
        kv_heads = self._config.kv_heads
        tables = group.tables[:, None]
        gathered_keys, gathered_values = (
            part[tables, self._kv_heads].flatten(2, 3) for part in (keys, values)
        )
        shared = query.view(sequences, n, kv_heads, heads // kv_heads, head_dim)
        out = functional.scaled_dot_product_attention(
            shared.permute(0, 2, 3, 1, 4).flatten(2, 3),
            gathered_keys,
            gathered_values,
            mask,
            scale=self._config.attention_scale,
        )
        apart = out.view(sequences, kv_heads, heads // kv_heads, n, head_dim)
        return apart.permute(0, 3, 1, 2, 4).reshape(query.shape)


def _turn(tables: Turn, positions: Tensor) -> Turn:
    return tables[0][positions, None], tables[1][positions, None]


def _rotate(x: Tensor, turn: Turn) -> Tensor:
    cosines, sines = turn
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosines - second * sines, second * cosines + first * sines), -1)
