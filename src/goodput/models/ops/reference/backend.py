"""Reference operations in torch: clear before fast. Everything else is checked against these.

The KV pool is float32, one block after the other: per layer keys then values, each
[kv_heads, block, head_dim] (``kv/layout.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from goodput.models.config import ModelConfig
from goodput.models.ops.base import FloatArray, ForwardBatch
from goodput.models.rotary import rotary_tables


class TorchOps:
    """Implements :class:`~goodput.models.ops.base.Ops`; hidden is a tensor [rows, hidden_size].

    On the CPU, weights and pool are used where they are mapped. On another device both are copied
    there, so the pool is that worker's own: hand-off over shared memory needs device "cpu".
    """

    def __init__(
        self,
        config: ModelConfig,
        weights: Mapping[str, npt.NDArray[np.generic]],
        pool: npt.NDArray[np.uint8],
        *,
        block_size: int,
        device: str = "cpu",
    ) -> None:
        self.layers = config.layers
        self._config = config
        self._device = torch.device(device)
        self._block_size = block_size
        self._weights = {
            name: torch.from_numpy(array).to(self._device) for name, array in weights.items()
        }
        shape = (-1, config.layers, 2, config.kv_heads, block_size, config.head_dim)
        self._pool = torch.from_numpy(pool.view(np.float32).reshape(shape)).to(self._device)
        self._local = frozenset(config.local_layers)
        self._rotary = self._rotary_tables(local=False)
        self._local_rotary = self._rotary_tables(local=True) if self._local else self._rotary

    def embed(self, batch: ForwardBatch) -> Tensor:
        tokens = torch.from_numpy(batch.tokens).to(self._device)
        rows = functional.embedding(tokens, self._weights["model.embed_tokens.weight"])
        return rows * self._config.embedding_scale

    def attention(self, layer: int, hidden: Tensor, batch: ForwardBatch) -> None:
        prefix = f"model.layers.{layer}"
        normed = self._norm(hidden, f"{prefix}.input_layernorm.weight")
        query, key, value = (
            self._heads(normed, f"{prefix}.self_attn.{name}")
            for name in ("q_proj", "k_proj", "v_proj")
        )
        if self._config.qk_norm:
            query = self._norm(query, f"{prefix}.self_attn.q_norm.weight")
            key = self._norm(key, f"{prefix}.self_attn.k_norm.weight")
        positions = torch.from_numpy(batch.positions).to(self._device)
        tables = self._local_rotary if layer in self._local else self._rotary
        cosines, sines = (table[positions, None] for table in tables)
        query, key = _rotate(query, cosines, sines), _rotate(key, cosines, sines)
        attended = torch.empty_like(query)
        for sequence, (first, last) in enumerate(
            zip(batch.row_starts[:-1], batch.row_starts[1:], strict=True)
        ):
            table = torch.from_numpy(batch.block_tables[sequence]).to(self._device)
            here = positions[first:last]
            self._store(layer, table, here, key[first:last], value[first:last])
            attended[first:last] = self._attend(layer, table, here, query[first:last])
        output = functional.linear(
            attended.flatten(1), self._weights[f"{prefix}.self_attn.o_proj.weight"]
        )
        hidden += self._post_norm(output, f"{prefix}.post_attention_layernorm.weight")

    def mlp(self, layer: int, hidden: Tensor) -> None:
        prefix = f"model.layers.{layer}"
        normed = self._norm(hidden, f"{prefix}.{self._config.mlp_norm}.weight")
        gate = functional.linear(normed, self._weights[f"{prefix}.mlp.gate_proj.weight"])
        up = functional.linear(normed, self._weights[f"{prefix}.mlp.up_proj.weight"])
        output = functional.linear(
            self._activate(gate) * up, self._weights[f"{prefix}.mlp.down_proj.weight"]
        )
        hidden += self._post_norm(output, f"{prefix}.post_feedforward_layernorm.weight")

    def logits(self, hidden: Tensor, batch: ForwardBatch) -> FloatArray:
        rows = torch.from_numpy(batch.sample_rows).to(self._device)
        name = "model.embed_tokens.weight" if self._config.tie_embeddings else "lm_head.weight"
        normed = self._norm(hidden[rows], "model.norm.weight")
        logits: FloatArray = functional.linear(normed, self._weights[name]).cpu().numpy()
        return logits

    def _norm(self, x: Tensor, weight: str) -> Tensor:
        mean = x.pow(2).mean(-1, keepdim=True)
        return x * torch.rsqrt(mean + self._config.rms_norm_eps) * self._weights[weight]

    def _post_norm(self, x: Tensor, weight: str) -> Tensor:
        return self._norm(x, weight) if self._config.post_norms else x

    def _activate(self, gate: Tensor) -> Tensor:
        if self._config.activation == "gelu_tanh":
            return functional.gelu(gate, approximate="tanh")
        return functional.silu(gate)

    def _rotary_tables(self, *, local: bool) -> tuple[Tensor, Tensor]:
        cosines, sines = rotary_tables(self._config, local=local)
        return torch.from_numpy(cosines).to(self._device), torch.from_numpy(sines).to(self._device)

    def _heads(self, x: Tensor, name: str) -> Tensor:
        bias = self._weights.get(f"{name}.bias")
        projected = functional.linear(x, self._weights[f"{name}.weight"], bias)
        return projected.view(len(x), -1, self._config.head_dim)

    def _store(
        self, layer: int, table: Tensor, positions: Tensor, key: Tensor, value: Tensor
    ) -> None:
        blocks, offsets = table[positions // self._block_size], positions % self._block_size
        self._pool[blocks, layer, 0, :, offsets] = key
        self._pool[blocks, layer, 1, :, offsets] = value

    def _attend(self, layer: int, table: Tensor, positions: Tensor, query: Tensor) -> Tensor:
        context = int(positions[-1]) + 1
        blocks = table[: -(-context // self._block_size)]
        keys, values = (
            self._pool[blocks, layer, which].transpose(0, 1).flatten(1, 2)[:, :context]
            for which in (0, 1)
        )
        distance = positions[:, None] - torch.arange(context, device=self._device)
        visible = distance >= 0
        if layer in self._local and self._config.sliding_window is not None:
            visible &= distance < self._config.sliding_window
        out = functional.scaled_dot_product_attention(
            query.transpose(0, 1)[None],
            keys[None],
            values[None],
            visible,
            scale=self._config.attention_scale,
            enable_gqa=True,
        )
        return out[0].transpose(0, 1)


def _rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosines - second * sines, second * cosines + first * sines), -1)
