"""A decode step of a fixed shape: one row for each of so many sequences, in buffers that stay.

A CUDA graph replays the same kernels on the same addresses, so the step reads its inputs from one
tensor and leaves its logits in another. Without a graph the same code runs anew each time.
"""

from __future__ import annotations

from typing import Any

import torch

from goodput.models.ops.base import ForwardBatch
from goodput.models.ops.torch.operations import TorchOps
from goodput.models.transformer import transform


class DecodeStep:
    """Up to ``sequences`` rows, each with up to ``width`` blocks of context.

    Rows without a sequence write to the pool's last block, which must belong to nobody.
    ``logits``: float32 [at least sequences, vocab_size], on the device, shared by all steps.
    """

    def __init__(self, ops: TorchOps, sequences: int, width: int, logits: torch.Tensor) -> None:
        self._ops = ops
        self._logits = logits[:sequences]
        self._spare = len(ops.pool) - 1
        # Token, position and block table of each sequence: one copy to the device a step.
        columns = 2 + width
        on_gpu = ops.device.type == "cuda"
        self._staging = torch.zeros((sequences, columns), dtype=torch.int64, pin_memory=on_gpu)
        self._staging[:, 2:] = self._spare
        self._inputs = self._staging.to(ops.device, copy=True)
        self._rows = torch.arange(sequences, device=ops.device)
        self._graph: torch.cuda.CUDAGraph | None = None

    def run(self, batch: ForwardBatch) -> None:
        """Leave the logits of ``batch``, a row for each of its sequences, in the first rows."""
        self._fill(batch)
        if self._graph is None:
            self._compute()
        else:
            self._graph.replay()

    def warm_up(self) -> None:
        """Run all rows without a sequence: libraries load their kernels, which no graph records."""
        self._compute()

    def capture(self, memory: Any) -> None:
        """Record the step, warmed up before, as a CUDA graph.

        ``memory`` is torch's handle of a pool that all graphs share: only one runs at a time.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=memory):
            self._compute()
        self._graph = graph

    def _fill(self, batch: ForwardBatch) -> None:
        staging, count = self._staging.numpy(), len(batch.tokens)
        known = min(staging.shape[1] - 2, batch.block_tables.shape[1])
        staging[:, 2:] = self._spare  # of rows without a sequence the rest may be stale
        staging[:count, 0] = batch.tokens
        staging[:count, 1] = batch.positions
        staging[:count, 2 : 2 + known] = batch.block_tables[:, :known]
        self._inputs.copy_(self._staging, non_blocking=True)

    def _compute(self) -> None:
        tokens, positions, tables = self._inputs[:, 0], self._inputs[:, 1], self._inputs[:, 2:]
        rows = self._ops.place(tokens, positions, [(self._rows[:, None], tables)], self._rows)
        self._logits.copy_(transform(self._ops, rows))
