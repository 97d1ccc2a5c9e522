"""Any step, run as it comes: the reference on the CPU, and prefill on a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from goodput.models.ops.base import FloatArray, ForwardBatch
from goodput.models.ops.torch.operations import TorchOps
from goodput.models.transformer import transform

IntArray = npt.NDArray[np.integer]


class TorchDecoder:
    """Implements :class:`~goodput.models.ops.base.Decoder` over operations and their pool."""

    def __init__(self, ops: TorchOps) -> None:
        self._ops = ops

    def forward(self, batch: ForwardBatch) -> FloatArray:
        put = self._put
        groups = [(put(rows), put(tables)) for rows, tables in self._groups(batch)]
        rows = self._ops.place(
            put(batch.tokens), put(batch.positions), groups, put(batch.sample_rows)
        )
        logits: FloatArray = transform(self._ops, rows).cpu().numpy()
        return logits

    def _put(self, array: IntArray) -> torch.Tensor:
        return torch.from_numpy(array.astype(np.int64)).to(self._ops.device)

    def _groups(self, batch: ForwardBatch) -> Iterator[tuple[IntArray, IntArray]]:
        """Rows [sequences, n] and tables [sequences, width] of the sequences with n rows each."""
        counts = np.diff(batch.row_starts)
        for count in np.unique(counts):
            members = np.flatnonzero(counts == count)
            rows = batch.row_starts[members][:, None] + np.arange(count)
            width = int(batch.positions[rows].max()) // self._ops.block_size + 1
            yield rows, batch.block_tables[members, :width]
