"""What the engine benchmark times: prefills of one prompt, and decode steps of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from eager_loop import EagerLoop
from goodput.kv.layout import kv_bytes_per_block
from goodput.models import weights
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.config import ModelConfig
from goodput.models.ops.base import ForwardBatch
from goodput.models.ops.cpu.backend import CpuDecoder

BLOCK = 16
CONTEXT = 256
"""Tokens of each sequence in a decode step, the new one included."""

PREFILLS = (128, 512)
BATCHES = (1, 8, 32)

Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Case:
    """One row of the table: a step feeds ``rows`` tokens to each of ``sequences``."""

    name: str
    rows: int
    sequences: int
    before: int  # tokens of each sequence that are in the cache already
    ours: Callable[[], object]
    eager: Callable[[], object]

    @property
    def tokens(self) -> int:
        return self.rows * self.sequences


def make_cases(model: Path, threads: int) -> tuple[ModelConfig, Arrays, list[Case]]:
    """The model's converted weights, and both implementations over the same checkpoint."""
    config, arrays = weights.load(weights.prepare(model, "cpu"))
    config = msgspec.structs.replace(config, context_length=1024)
    blocks_each = CONTEXT // BLOCK + 2
    pool = np.zeros(64 * blocks_each * kv_bytes_per_block(config, BLOCK, "cpu"), np.uint8)
    decoder = CpuDecoder(config, arrays, pool, max_rows=512, max_samples=64, threads=threads)
    checkpoint = open_checkpoint(model)
    random = np.random.default_rng(0)
    shapes = [(f"prefill {rows}", rows, 1, 0) for rows in PREFILLS]
    shapes += [(f"decode batch {size}", 1, size, CONTEXT - 1) for size in BATCHES]
    cases = []
    for name, rows, sequences, before in shapes:
        tokens = random.integers(0, config.vocab_size, rows * sequences).astype(np.int32)
        blocks = max(blocks_each, -(-rows // BLOCK))
        starts = np.arange(sequences + 1, dtype=np.int32) * rows
        batch = ForwardBatch(
            tokens,
            np.tile(np.arange(before, before + rows, dtype=np.int32), sequences),
            starts,
            np.arange(sequences * blocks, dtype=np.int32).reshape(sequences, blocks),
            starts[1:] - 1,
        )
        eager = EagerLoop(checkpoint, sequences, before + rows)
        inputs = torch.from_numpy(tokens.astype(np.int64)).reshape(sequences, rows)
        cases.append(
            Case(
                name,
                rows,
                sequences,
                before,
                lambda batch=batch: decoder.forward(batch),
                lambda eager=eager, inputs=inputs, before=before: eager.step(inputs, before),
            )
        )
    return config, arrays, cases
