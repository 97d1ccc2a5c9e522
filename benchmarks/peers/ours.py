"""This project's cpu backend, with the face that the peers have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from goodput.core.clock import MonotonicClock
from goodput.core.config import EngineConfig
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.engine.engine import Engine
from goodput.engine.model_executor import build_model_executor
from goodput.kv.block_pool import BlockPool
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.ops.base import ForwardBatch

BLOCK = 16
ROWS = 512
BATCH = 32
BLOCKS = 640


class Ours:
    """The engine and its model on one thread, over a pool of 10,240 tokens."""

    def __init__(self, path: Path) -> None:
        config = open_checkpoint(path).config
        pool = SharedPool.create(BLOCKS, kv_bytes_per_block(config, BLOCK, "cpu"))
        # As many samples as rows, because every position's logits are wanted here.
        limits = EngineConfig(token_budget=ROWS, max_sequences=ROWS, context_length=2048)
        self._executor = build_model_executor(path, pool, limits, "cpu")

    def logits(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        """Of every position: [len(tokens), vocab]. Not by the engine, which keeps only the last."""
        table = np.arange(-(-len(tokens) // BLOCK), dtype=np.int32)[None]
        parts = []
        for first in range(0, len(tokens), ROWS):
            chunk = np.array(tokens[first : first + ROWS], np.int32)
            rows = np.arange(len(chunk), dtype=np.int32)
            starts = np.array([0, len(chunk)], np.int32)
            batch = ForwardBatch(chunk, rows + first, starts, table, rows)
            parts.append(self._executor._decoder.forward(batch).copy())
        return np.concatenate(parts)

    def answers(
        self,
        prompts: Sequence[list[int]],
        count: int,
        stop: Sequence[int],
        done: Callable[[int], None],
    ) -> list[list[int]]:
        """Greedy answers, the stop token included, from continuous batches of 32."""
        limits = EngineConfig(token_budget=ROWS, max_sequences=BATCH)
        engine = Engine(limits, BlockPool(0, BLOCKS, BLOCK), self._executor, MonotonicClock())
        greedy = SamplingParams(temperature=0, max_tokens=count)
        for number, prompt in enumerate(prompts):
            engine.add(
                GenerationRequest(
                    id=str(number),
                    prompt=prompt,
                    sampling=greedy,
                    received=0.0,
                    eos_token_ids=tuple(stop),
                )
            )
        answers: list[list[int]] = [[] for _ in prompts]
        while engine.has_work:
            for delta in engine.step().deltas:
                answers[int(delta.request_id)] += delta.token_ids
                done(delta.finish_reason is not None)
        return answers

    def close(self) -> None:
        del self._executor
