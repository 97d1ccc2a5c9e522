"""The CPU decoder: mapped weights, the shared KV pool, and the buffers of a step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from goodput.kv.layout import kv_bytes_per_block
from goodput.models.config import ModelConfig
from goodput.models.ops.base import FloatArray, ForwardBatch
from goodput.models.ops.cpu import step
from goodput.models.ops.cpu.attention_tiles import BLOCK
from goodput.models.ops.cpu.buffers import make_buffers
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.layer_table import layer_table, matrix_entry
from goodput.models.ops.cpu.packing import activation_limit
from goodput.models.ops.cpu.team import Team

Array = npt.NDArray[np.generic]


class CpuDecoder:
    """Implements :class:`~goodput.models.ops.base.Decoder`.

    ``weights`` are arrays from ``convert.py``, shared by all workers of the host; ``pool`` is the
    host's whole KV pool as bytes, written only at the positions of each batch. Both must outlive
    this object. Not thread-safe: one step at a time, which itself uses ``threads`` threads.
    """

    def __init__(
        self,
        config: ModelConfig,
        weights: Mapping[str, Array],
        pool: npt.NDArray[np.uint8],
        *,
        max_rows: int,
        max_samples: int,
        threads: int = 1,
    ) -> None:
        self._config = config
        self._weights, self._pool = weights, pool  # their addresses are used below
        self._team = Team(threads)
        self._embed = weights["embed"]
        self._norm = int(weights["norm"].ctypes.data)
        block_bytes = kv_bytes_per_block(config, BLOCK, "cpu")
        self._shape = step.Shape(
            layers=config.layers,
            hidden=config.hidden_size,
            intermediate=config.intermediate_size,
            heads=config.heads,
            kv_heads=config.kv_heads,
            head_dim=config.head_dim,
            pool=int(pool.ctypes.data),
            block_bytes=block_bytes,
            layer_bytes=block_bytes // config.layers,
            epsilon=config.rms_norm_eps,
            attention_scale=config.attention_scale,
            gelu=config.activation == "gelu_tanh",
        )
        self._table = layer_table(config, weights)
        padded = len(weights["head.scale"])
        self._head = np.array([*matrix_entry(weights, "head"), padded // PANEL], np.int64)
        self._biases = self._gather_biases()
        self._limits = step.Limits(
            hidden=activation_limit(config.hidden_size),
            attended=activation_limit(config.heads * config.head_dim),
            gated=activation_limit(config.intermediate_size),
        )
        self._buffers = make_buffers(
            config, rows=max_rows, samples=max_samples, threads=threads, padded_vocabulary=padded
        )

    def forward(self, batch: ForwardBatch) -> FloatArray:
        buffers, samples = self._buffers, len(batch.sample_rows)
        hidden = buffers.hidden[: len(batch.tokens)]
        hidden[:] = self._embed[batch.tokens]
        if self._config.embedding_scale != 1.0:
            hidden *= np.float32(self._config.embedding_scale)

        def run(thread: int) -> None:
            step.forward(
                thread,
                self._team.threads,
                self._shape,
                self._limits,
                self._table,
                self._biases,
                self._norm,
                self._head,
                buffers,
                batch.positions,
                batch.row_starts,
                batch.block_tables,
                batch.sample_rows,
            )

        self._team.run(run)
        logits: FloatArray = buffers.logits[:samples, : self._config.vocab_size]
        return logits

    def _gather_biases(self) -> Array:
        if not self._config.qkv_bias:
            return np.empty((0, 0), np.float32)
        names = [f"layers.{layer}.qkv.bias" for layer in range(self._config.layers)]
        return np.stack([self._weights[name] for name in names])
