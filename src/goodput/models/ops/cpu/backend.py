"""The CPU backend's operations over mapped weights and the shared KV pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goodput.kv.layout import kv_bytes_per_block
from goodput.models.config import ModelConfig
from goodput.models.ops.base import FloatArray, ForwardBatch
from goodput.models.ops.cpu import kernels
from goodput.models.ops.cpu.attention_tiles import BLOCK
from goodput.models.ops.cpu.packing import activation_limit
from goodput.models.rotary import rotary_tables

Array = npt.NDArray[np.generic]


@dataclass(slots=True, frozen=True)
class _Matrix:
    panels: Array
    scales: Array
    limit: float


@dataclass(slots=True, frozen=True)
class _Layer:
    attention_norm: Array
    mlp_norm: Array
    qkv: _Matrix
    qkv_bias: Array
    output: _Matrix
    gate_up: _Matrix
    down: _Matrix


class CpuOps:
    """Implements :class:`~goodput.models.ops.base.Ops`; hidden is float32 [rows, hidden_size].

    ``weights`` are read-only arrays from ``convert.py`` (shared by all workers of the host).
    ``pool`` is the host's whole KV pool as bytes; written only at the positions of each batch.
    Not thread-safe: one step at a time.
    """

    def __init__(
        self,
        config: ModelConfig,
        weights: Mapping[str, Array],
        pool: npt.NDArray[np.uint8],
        *,
        max_rows: int,
        max_samples: int,
    ) -> None:
        self.layers = config.layers
        self._config = config
        self._pool = pool
        self._block_bytes = kv_bytes_per_block(config, BLOCK, "cpu")
        self._layer_bytes = self._block_bytes // config.layers
        self._embed = weights["embed"]
        self._norm = weights["norm"]
        self._head = _matrix(weights, "head")
        self._no_bias = np.empty(0, np.float32)
        self._layer = [self._load_layer(weights, f"layers.{i}") for i in range(config.layers)]
        self._cosines, self._sines = rotary_tables(config)
        heads, kv_heads, dim = config.heads, config.kv_heads, config.head_dim
        tile = (kernels.ATTENTION_ROWS, dim)
        padded_context = -(-config.context_length // BLOCK) * BLOCK
        self._hidden = np.empty((max_rows, config.hidden_size), np.float32)
        self._qkv = np.empty((max_rows, (heads + 2 * kv_heads) * dim), np.float32)
        self._attended = np.empty((max_rows, heads * dim), np.float32)
        self._gate_up = np.empty((max_rows, 2 * config.intermediate_size), np.float32)
        self._product = np.empty(config.intermediate_size, np.float32)
        self._normed = np.empty(config.hidden_size, np.float32)
        self._scales = np.empty(max(max_rows, max_samples), np.float32)
        self._queries, self._outputs = np.empty(tile, np.float32), np.empty(tile, np.float32)
        self._scores = np.empty((kernels.ATTENTION_ROWS, padded_context), np.float32)
        self._last = np.empty((max_samples, config.hidden_size), np.float32)
        self._logits = np.empty((max_samples, len(self._head.scales)), np.float32)
        widest = max(config.hidden_size, heads * dim, config.intermediate_size)
        self._quantized = np.empty(max(max_rows, max_samples) * widest, np.int16)

    def embed(self, batch: ForwardBatch) -> FloatArray:
        hidden = self._hidden[: len(batch.tokens)]
        hidden[:] = self._embed[batch.tokens]
        return hidden

    def attention(self, layer: int, hidden: FloatArray, batch: ForwardBatch) -> None:
        config, weights, rows = self._config, self._layer[layer], len(hidden)
        keys = int(self._pool.ctypes.data) + layer * self._layer_bytes
        values = keys + self._layer_bytes // 2
        self._norm_gemm(hidden, weights.attention_norm, weights.qkv, weights.qkv_bias, self._qkv)
        kernels.rotate_and_store(
            self._qkv,
            batch.positions,
            batch.row_starts,
            batch.block_tables,
            self._cosines,
            self._sines,
            config.heads,
            config.kv_heads,
            config.head_dim,
            keys,
            values,
            self._block_bytes,
        )
        kernels.attend(
            self._qkv,
            batch.positions,
            batch.row_starts,
            batch.block_tables,
            config.heads,
            config.kv_heads,
            config.head_dim,
            keys,
            values,
            self._block_bytes,
            self._queries,
            self._scores,
            self._outputs,
            self._attended,
        )
        matrix = weights.output
        kernels.quantized_gemm(
            self._attended,
            rows,
            matrix.panels,
            matrix.scales,
            matrix.limit,
            self._quantized,
            self._scales,
            hidden,
        )

    def mlp(self, layer: int, hidden: FloatArray) -> None:
        weights = self._layer[layer]
        self._norm_gemm(hidden, weights.mlp_norm, weights.gate_up, self._no_bias, self._gate_up)
        matrix = weights.down
        kernels.gated_gemm(
            self._gate_up,
            len(hidden),
            matrix.panels,
            matrix.scales,
            matrix.limit,
            self._product,
            self._quantized,
            self._scales,
            hidden,
        )

    def logits(self, hidden: FloatArray, batch: ForwardBatch) -> FloatArray:
        samples = len(batch.sample_rows)
        last = self._last[:samples]
        last[:] = hidden[batch.sample_rows]
        self._norm_gemm(last, self._norm, self._head, self._no_bias, self._logits)
        return self._logits[:samples, : self._config.vocab_size]

    def _norm_gemm(
        self, hidden: FloatArray, norm: Array, matrix: _Matrix, bias: Array, out: FloatArray
    ) -> None:
        kernels.norm_gemm(
            hidden,
            len(hidden),
            norm,
            self._config.rms_norm_eps,
            matrix.panels,
            matrix.scales,
            matrix.limit,
            bias,
            self._normed,
            self._quantized,
            self._scales,
            out,
        )

    def _load_layer(self, weights: Mapping[str, Array], prefix: str) -> _Layer:
        return _Layer(
            attention_norm=weights[f"{prefix}.attention_norm"],
            mlp_norm=weights[f"{prefix}.mlp_norm"],
            qkv=_matrix(weights, f"{prefix}.qkv"),
            qkv_bias=weights.get(f"{prefix}.qkv.bias", self._no_bias),
            output=_matrix(weights, f"{prefix}.output"),
            gate_up=_matrix(weights, f"{prefix}.gate_up"),
            down=_matrix(weights, f"{prefix}.down"),
        )


def _matrix(weights: Mapping[str, Array], name: str) -> _Matrix:
    panels = weights[f"{name}.weight"]
    return _Matrix(panels, weights[f"{name}.scale"], activation_limit(2 * panels.shape[1]))
