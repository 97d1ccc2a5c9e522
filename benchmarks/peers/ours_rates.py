"""This project's cpu backend in the engine benchmark, loaded as a worker loads it.

python ours_rates.py MODEL THREADS
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from step_server import Step, serve_steps, stopwatch

from goodput.core.config import EngineConfig
from goodput.engine.model_executor import build_model_executor
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.ops.base import ForwardBatch
from goodput.models.ops.cpu.attention_tiles import BLOCK

CONTEXT = 2048
BLOCKS = 64 * (1024 // BLOCK + 1)
"""Of the pool: 64 sequences of 1,024 tokens."""


class Steps:
    def __init__(self, model: Path, threads: int) -> None:
        self._config = open_checkpoint(model).config
        self._pool = SharedPool.create(BLOCKS, kv_bytes_per_block(self._config, BLOCK, "cpu"))
        self._limits = EngineConfig(threads=threads, context_length=CONTEXT)
        executor = build_model_executor(model, self._pool, self._limits, "cpu")
        self._decoder = executor._decoder  # the step without the choice of tokens, as of the peers
        self._random = np.random.default_rng(0)

    def make(self, variant: str, rows: int, sequences: int, before: int) -> Step:
        """One call of the decoder, or several where ``rows`` exceed the engine's token budget."""
        blocks = -(-(before + rows) // BLOCK)
        self._fill(blocks * sequences)
        table = np.arange(blocks * sequences, dtype=np.int32).reshape(sequences, blocks)
        most = max(1, self._limits.token_budget // sequences)
        batches = [
            self._batch(table, before + first, min(most, rows - first), first + most >= rows)
            for first in range(0, rows, most)
        ]

        def run() -> None:
            for batch in batches:
                self._decoder.forward(batch)

        return stopwatch(run)

    def _batch(self, table: np.ndarray, first: int, rows: int, last: bool) -> ForwardBatch:
        """``rows`` tokens of each sequence from position ``first``; only the last chunk samples."""
        sequences = len(table)
        starts = np.arange(sequences + 1, dtype=np.int32) * rows
        tokens = self._random.integers(0, self._config.vocab_size, rows * sequences)
        positions = np.tile(np.arange(first, first + rows, dtype=np.int32), sequences)
        samples = starts[1:] - 1 if last else np.empty(0, np.int32)
        return ForwardBatch(tokens.astype(np.int32), positions, starts, table, samples)

    def _fill(self, blocks: int) -> None:
        """Keys and values that are there: memory nobody wrote may be read faster."""
        size = blocks * self._pool.bytes_per_block // 2
        some = self._random.standard_normal(1 << 20, np.float32).astype(np.float16)
        np.frombuffer(self._pool.buffer, np.float16)[:size] = np.resize(some, size)


def main() -> None:
    steps = Steps(Path(sys.argv[1]), int(sys.argv[2]))
    serve_steps(version("goodput"), ["cpu"], steps.make)


if __name__ == "__main__":
    main()
