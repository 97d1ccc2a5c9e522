"""Runs a transformer over token lists without an engine: blocks in order, chunks as told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from goodput.core.config import Backend, EngineConfig
from goodput.kv.layout import kv_bytes_per_block
from goodput.models import weights
from goodput.models.ops.base import Decoder, ForwardBatch
from goodput.models.ops.cpu.backend import CpuDecoder
from goodput.models.ops.torch.build import own_decoder, shared_decoder
from goodput.models.ops.torch.decode_graphs import GraphDecoder

BLOCK = 16
MAX_ROWS = 512


def build(model: Path, backend: Backend, blocks: int = 128, threads: int = 1) -> Decoder:
    """A transformer with a pool of its own, full of stale numbers as a used pool would be."""
    config, arrays = weights.load(weights.prepare(model, backend))
    config = msgspec.structs.replace(config, context_length=min(2048, config.context_length))
    size = blocks * kv_bytes_per_block(config, BLOCK, backend)
    pool = np.random.default_rng(7).integers(0, 59, size, np.uint8)
    if backend == "cpu":
        return CpuDecoder(
            config, arrays, pool, max_rows=MAX_ROWS, max_samples=MAX_ROWS, threads=threads
        )
    return shared_decoder(config, arrays, pool, EngineConfig(block_size=BLOCK, threads=threads))


def own(model: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> GraphDecoder:
    """The decoder of a GPU, over 64 blocks of its own: here on any device and of any type."""
    config, arrays = weights.load(weights.prepare(model, "torch"))
    engine = EngineConfig(block_size=BLOCK, max_sequences=5)
    return own_decoder(config, arrays, engine, 64, device=device, dtype=dtype)


def step(
    model: Decoder, parts: Iterable[tuple[list[int], int, list[int]]]
) -> npt.NDArray[np.float32]:
    """One step over (new tokens, first position, block table) parts; logits of every row."""
    tokens: list[int] = []
    positions: list[int] = []
    starts = [0]
    tables: list[list[int]] = []
    for new, first, table in parts:
        tokens += new
        positions += range(first, first + len(new))
        starts.append(len(tokens))
        tables.append(table)
    widest = max(map(len, tables))
    padded = [table + [0] * (widest - len(table)) for table in tables]
    batch = ForwardBatch(
        np.array(tokens, np.int32),
        np.array(positions, np.int32),
        np.array(starts, np.int32),
        np.array(padded, np.int32),
        np.arange(len(tokens), dtype=np.int32),
    )
    return model.forward(batch).copy()


def logits_of(
    model: Decoder, tokens: list[int], chunks: list[int], table: list[int]
) -> npt.NDArray[np.float32]:
    """Logits of every position: [len(tokens), vocab], computed in chunks of the given sizes."""
    parts, first = [], 0
    for size in chunks:
        parts.append(step(model, [(tokens[first : first + size], first, table)]))
        first += size
    assert first == len(tokens)
    return np.concatenate(parts)
