"""Decoding in a bounded number of shapes, each a CUDA graph where there is a GPU."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import torch

from goodput.models.ops.base import FloatArray, ForwardBatch
from goodput.models.ops.torch.decode_step import DecodeStep
from goodput.models.ops.torch.decoder import TorchDecoder
from goodput.models.ops.torch.operations import TorchOps

NARROWEST = 16
"""Blocks of context below which a narrower shape would save nothing worth a graph."""


class GraphDecoder:
    """Implements :class:`~goodput.models.ops.base.Decoder` over a pool of its own.

    A step that gives every sequence one token and samples it is padded to the next of the shapes;
    any other, a prefill above all, runs as it comes. All graphs are recorded at once, so that
    decoding never lacks memory later. The last block of the pool belongs to nobody.
    """

    def __init__(self, ops: TorchOps, *, max_sequences: int, context_length: int) -> None:
        self.pool = ops.pool
        self._block_size = ops.block_size
        self._plain = TorchDecoder(ops)
        self._sequences = padded_sizes(1, max_sequences)
        self._widths = padded_sizes(NARROWEST, -(-context_length // ops.block_size))
        shape = (max_sequences, ops.vocab_size)
        on_gpu = ops.device.type == "cuda"
        self._logits = torch.zeros(shape, device=ops.device)
        self._host_logits = torch.zeros(shape, pin_memory=on_gpu)
        self._steps = {
            (sequences, width): DecodeStep(ops, sequences, width, self._logits)
            for sequences in self._sequences
            for width in self._widths
        }
        memory = torch.cuda.graph_pool_handle() if on_gpu else None
        for size in sorted(self._steps, reverse=True):  # small ones fit in what large ones left
            self._steps[size].warm_up()
            if on_gpu:
                self._steps[size].capture(memory)

    def forward(self, batch: ForwardBatch) -> FloatArray:
        count = len(batch.tokens)
        if not len(batch.sample_rows) == count == len(batch.row_starts) - 1:
            return self._plain.forward(batch)
        width = int(np.max(batch.positions)) // self._block_size + 1
        self._steps[_at_least(count, self._sequences), _at_least(width, self._widths)].run(batch)
        host = self._host_logits[:count]
        host.copy_(self._logits[:count])  # waits for the device
        logits: FloatArray = host.numpy()
        return logits


def padded_sizes(first: int, limit: int) -> list[int]:
    """``first`` doubled until ``limit``, which is the last: any size fits with half of it used."""
    sizes = [first]
    while sizes[-1] < limit:
        sizes.append(2 * sizes[-1])
    sizes[-1] = limit
    return sizes


def _at_least(size: int, sizes: list[int]) -> int:
    return sizes[bisect_left(sizes, size)]
