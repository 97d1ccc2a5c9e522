"""The CPU decoder: mapped weights, the shared KV pool, and the buffers of a step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from goodput.kv.layout import kv_bytes_per_block
from goodput.models.config import ModelConfig
from goodput.models.ops.base import FloatArray, ForwardBatch
from goodput.models.ops.cpu import step
from goodput.models.ops.cpu.attention import TILE_ROWS
from goodput.models.ops.cpu.attention_tiles import BLOCK
from goodput.models.ops.cpu.packing import activation_limit
from goodput.models.ops.cpu.projections import EIGHT_BIT, FOUR_BIT
from goodput.models.ops.cpu.team import Team
from goodput.models.rotary import rotary_tables

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
        )
        self._table = np.array([self._entry(layer) for layer in range(config.layers)], np.int64)
        head = self._matrix("head")
        panels = len(weights["head.scale"]) // 16
        self._head = np.array([*head, panels], np.int64)
        self._biases = self._gather_biases()
        self._limits = step.Limits(
            hidden=activation_limit(config.hidden_size),
            attended=activation_limit(config.heads * config.head_dim),
            gated=activation_limit(config.intermediate_size),
        )
        self._buffers = self._make_buffers(max_rows, max_samples, threads)

    def forward(self, batch: ForwardBatch) -> FloatArray:
        buffers, samples = self._buffers, len(batch.sample_rows)
        buffers.hidden[: len(batch.tokens)] = self._embed[batch.tokens]

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

    def _entry(self, layer: int) -> list[int]:
        """One row of the layer table (``step.COLUMNS``)."""
        prefix = f"layers.{layer}"
        norms = [
            int(self._weights[f"{prefix}.{name}"].ctypes.data)
            for name in ("attention_norm", "mlp_norm")
        ]
        matrices = [
            self._matrix(f"{prefix}.{name}") for name in ("qkv", "output", "gate_up", "down")
        ]
        return [*norms, *(number for matrix in matrices for number in matrix)]

    def _matrix(self, name: str) -> tuple[int, int, int]:
        panels, scales = self._weights[f"{name}.weight"], self._weights[f"{name}.scale"]
        kind = FOUR_BIT if panels.dtype == np.uint8 else EIGHT_BIT
        return int(panels.ctypes.data), int(scales.ctypes.data), kind

    def _gather_biases(self) -> Array:
        if not self._config.qkv_bias:
            return np.empty((0, 0), np.float32)
        names = [f"layers.{layer}.qkv.bias" for layer in range(self._config.layers)]
        return np.stack([self._weights[name] for name in names])

    def _make_buffers(self, rows: int, samples: int, threads: int) -> step.Buffers:
        config = self._config
        attended = config.heads * config.head_dim
        qkv = attended + 2 * config.kv_heads * config.head_dim
        widest = max(config.hidden_size, attended, config.intermediate_size)
        context = -(-config.context_length // BLOCK) * BLOCK
        tile = (threads, TILE_ROWS, config.head_dim)
        cosines, sines = rotary_tables(config)
        most = max(rows, samples)
        return step.Buffers(
            hidden=np.empty((rows, config.hidden_size), np.float32),
            qkv=np.empty((rows, qkv), np.float32),
            attended=np.empty((rows, attended), np.float32),
            gate_up=np.empty((rows, 2 * config.intermediate_size), np.float32),
            quantized=np.empty(most * widest, np.int16),
            row_scales=np.empty(most, np.float32),
            last=np.empty((samples, config.hidden_size), np.float32),
            logits=np.empty((samples, len(self._weights["head.scale"])), np.float32),
            cosines=cosines,
            sines=sines,
            counter=np.zeros(8, np.int64),
            row=np.empty((threads, widest), np.float32),
            widened=np.empty((threads, widest * 16), np.int16),
            queries=np.empty(tile, np.float32),
            outputs=np.empty(tile, np.float32),
            scores=np.empty((threads, TILE_ROWS, context), np.float32),
        )
