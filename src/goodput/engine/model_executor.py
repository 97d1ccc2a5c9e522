"""Executes plans with a real model: gathers the step's rows, runs the decoder, samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from goodput.core.config import Backend, EngineConfig
from goodput.core.errors import UsageError
from goodput.engine.executor import Chunk, Sampled, StepPlan
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models import weights
from goodput.models.config import ModelConfig
from goodput.models.ops.base import ForwardBatch
from goodput.models.sampling import sample
from goodput.models.transformer import Transformer


class ModelExecutor:
    """Implements :class:`~goodput.engine.executor.Executor` over a transformer.

    Holds no state of sequences: everything is in the plan and in the KV pool.
    """

    def __init__(self, transformer: Transformer) -> None:
        self._transformer = transformer

    def execute(self, plan: StepPlan) -> list[Sampled | None]:
        logits = iter(self._transformer.forward(gather(plan)))
        return [_sample(next(logits), chunk) if chunk.samples else None for chunk in plan.chunks]


def gather(plan: StepPlan) -> ForwardBatch:
    """Lay a plan's chunks out as rows, in the plan's order."""
    chunks = plan.chunks
    counts = np.array([chunk.count for chunk in chunks])
    row_starts = np.zeros(len(chunks) + 1, np.int32)
    np.cumsum(counts, out=row_starts[1:])
    rows = int(row_starts[-1])
    tokens, positions = np.empty(rows, np.int32), np.empty(rows, np.int32)
    widest = max(len(chunk.sequence.blocks) for chunk in chunks)
    tables = np.zeros((len(chunks), widest), np.int32)
    for number, chunk in enumerate(chunks):
        first, end = row_starts[number], chunk.start + chunk.count
        tokens[first : first + chunk.count] = chunk.sequence.tokens[chunk.start : end]
        positions[first : first + chunk.count] = range(chunk.start, end)
        blocks = chunk.sequence.blocks
        tables[number, : len(blocks)] = blocks
    samples = np.array([chunk.samples for chunk in chunks])
    return ForwardBatch(tokens, positions, row_starts, tables, row_starts[1:][samples] - 1)


def _sample(logits: Any, chunk: Chunk) -> Sampled:
    sequence = chunk.sequence
    request = sequence.request
    token, logprobs = sample(
        logits, sequence.tokens, sequence.num_prompt, request.sampling, request.eos_token_ids
    )
    return Sampled(token, logprobs)


def build_model_executor(
    model_path: Path, pool: SharedPool, engine: EngineConfig, backend: Backend
) -> ModelExecutor:
    """Map the converted weights and the host's pool, and run one token so that all is compiled.

    That token is run over memory of its own: the pool's blocks may hold other workers' sequences.
    Raises UsageError for settings that this backend cannot take.
    """
    if engine.threads > 1 and backend == "cpu":
        raise UsageError("engine.threads must be 1 for the cpu backend: give it more workers")
    config, arrays = weights.load(weights.prepare(model_path, backend))
    length = min(engine.context_length or config.context_length, config.context_length)
    config = msgspec.structs.replace(config, context_length=length)
    block_bytes = kv_bytes_per_block(config, engine.block_size, backend)
    scratch = np.zeros(block_bytes, np.uint8)
    _transformer(config, arrays, scratch, engine, backend).forward(_one_token())
    memory = np.frombuffer(pool.buffer, np.uint8)
    return ModelExecutor(_transformer(config, arrays, memory, engine, backend))


def _transformer(
    config: ModelConfig,
    arrays: Mapping[str, npt.NDArray[np.generic]],
    memory: npt.NDArray[np.uint8],
    engine: EngineConfig,
    backend: Backend,
) -> Transformer:
    if backend == "cpu":
        from goodput.models.ops.cpu.attention_tiles import BLOCK
        from goodput.models.ops.cpu.backend import CpuOps

        if engine.block_size != BLOCK:
            raise UsageError(f"engine.block_size must be {BLOCK} for the cpu backend")
        rows, samples = engine.token_budget, engine.max_sequences
        return Transformer(CpuOps(config, arrays, memory, max_rows=rows, max_samples=samples))
    try:
        import torch

        from goodput.models.ops.reference.backend import TorchOps
    except ImportError:
        raise UsageError("--backend torch needs torch: pip install 'goodput[torch]'") from None

    torch.set_num_threads(engine.threads)
    return Transformer(TorchOps(config, arrays, memory, block_size=engine.block_size))


def _one_token() -> ForwardBatch:
    zero = np.zeros(1, np.int32)
    return ForwardBatch(zero, zero, np.array([0, 1], np.int32), np.zeros((1, 1), np.int32), zero)
