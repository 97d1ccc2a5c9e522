"""Executes plans with a real model: gathers the step's rows, runs the decoder, samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from goodput.core.config import Backend, EngineConfig
from goodput.core.errors import UsageError
from goodput.engine.executor import Chunk, Sampled, StepPlan, verified
from goodput.engine.finish import NO_TOKEN
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models import weights
from goodput.models.config import ModelConfig
from goodput.models.grammar import GrammarMasks
from goodput.models.load import load_text_side
from goodput.models.ops.base import Decoder, ForwardBatch
from goodput.models.sampling import sample


class ModelExecutor:
    """Implements :class:`~goodput.engine.executor.Executor` over a decoder.

    Holds no state of sequences: everything is in the plan and in the KV pool.
    """

    def __init__(self, decoder: Decoder, masks: GrammarMasks) -> None:
        self._decoder = decoder
        self._masks = masks

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        logits = self._decoder.forward(gather(plan))
        results: list[list[Sampled]] = []
        first = 0
        for chunk in plan.chunks:
            if not chunk.samples:
                results.append([])
                continue
            rows = logits[first : first + 1 + len(chunk.drafts)]
            first += len(rows)

            def pick(
                number: int, tokens: Sequence[int], rows: Any = rows, chunk: Chunk = chunk
            ) -> Sampled:
                return sample_row(rows[number], tokens, chunk, self._masks)

            results.append(verified(chunk, pick))
        return results


def gather(plan: StepPlan) -> ForwardBatch:
    """Lay a plan's chunks out as rows, in the plan's order.

    Wanted are the logits of the last known token of each chunk that samples, and of its drafts.
    """
    chunks = plan.chunks
    counts = np.array([chunk.rows for chunk in chunks])
    row_starts = np.zeros(len(chunks) + 1, np.int32)
    np.cumsum(counts, out=row_starts[1:])
    rows = int(row_starts[-1])
    tokens, positions = np.empty(rows, np.int32), np.empty(rows, np.int32)
    widest = max(len(chunk.sequence.blocks) for chunk in chunks)
    tables = np.zeros((len(chunks), widest), np.int32)
    wanted: list[int] = []
    for number, chunk in enumerate(chunks):
        first, end = row_starts[number], row_starts[number + 1]
        tokens[first:end] = chunk.tokens
        positions[first:end] = range(chunk.start, chunk.start + chunk.rows)
        if chunk.samples:
            wanted += range(end - 1 - len(chunk.drafts), end)
        blocks = chunk.sequence.blocks
        tables[number, : len(blocks)] = blocks
    return ForwardBatch(tokens, positions, row_starts, tables, np.array(wanted, np.int32))


def sample_row(logits: Any, tokens: Sequence[int], chunk: Chunk, masks: GrammarMasks) -> Sampled:
    """What follows ``tokens``, which are the sequence's and the drafts that were right so far."""
    prompt, request = chunk.sequence.num_prompt, chunk.sequence.request
    allowed = None
    if request.grammar is not None:
        allowed = masks.allowed(request.id, request.grammar, tokens[prompt:])
        if not allowed.any():
            return Sampled(NO_TOKEN)
    eos = request.eos_token_ids
    return Sampled(*sample(logits, tokens, prompt, request.sampling, eos, allowed))


def build_model_executor(
    model_path: Path, pool: SharedPool, engine: EngineConfig, backend: Backend
) -> ModelExecutor:
    """Map the converted weights and the host's pool, and have all compiled that a step runs.

    On a GPU the blocks lie in its own memory, as many as ``pool`` has, which stays untouched.
    Raises UsageError for settings that this backend cannot take.
    """
    if backend == "torch":
        from goodput.models.ops.torch.device import require_torch

        require_torch(engine.device)
    config, arrays = weights.load(weights.prepare(model_path, backend))
    length = min(engine.context_length or config.context_length, config.context_length)
    config = msgspec.structs.replace(config, context_length=length)
    masks = GrammarMasks(lambda: load_text_side(model_path).tokenizer, 2 * engine.max_sequences)
    if engine.device == "cuda":
        from goodput.models.ops.torch.build import own_decoder

        return ModelExecutor(own_decoder(config, arrays, engine, pool.num_blocks), masks)
    block_bytes = kv_bytes_per_block(config, engine.block_size, backend)
    # One token over memory of its own: the pool's blocks may hold other workers' sequences.
    scratch = np.zeros(block_bytes, np.uint8)
    _shared_decoder(config, arrays, scratch, engine, backend).forward(_one_token())
    memory = np.frombuffer(pool.buffer, np.uint8)
    return ModelExecutor(_shared_decoder(config, arrays, memory, engine, backend), masks)


def _shared_decoder(
    config: ModelConfig,
    arrays: Mapping[str, npt.NDArray[np.generic]],
    memory: npt.NDArray[np.uint8],
    engine: EngineConfig,
    backend: Backend,
) -> Decoder:
    if backend == "cpu":
        from goodput.models.ops.cpu.attention_tiles import BLOCK
        from goodput.models.ops.cpu.backend import CpuDecoder

        if engine.block_size != BLOCK:
            raise UsageError(f"engine.block_size must be {BLOCK} for the cpu backend")
        rows = engine.token_budget
        # Drafts are sampled too, but only steps with few rows get any.
        samples = max(engine.max_sequences, min(engine.speculative_rows, rows))
        return CpuDecoder(
            config, arrays, memory, max_rows=rows, max_samples=samples, threads=engine.threads
        )
    from goodput.models.ops.torch.build import shared_decoder

    return shared_decoder(config, arrays, memory, engine)


def _one_token() -> ForwardBatch:
    zero = np.zeros(1, np.int32)
    return ForwardBatch(zero, zero, np.array([0, 1], np.int32), np.zeros((1, 1), np.int32), zero)
