"""The scratch memory of a step, allocated once per decoder."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from goodput.models.config import ModelConfig
from goodput.models.ops.cpu.attention import TILE_ROWS
from goodput.models.ops.cpu.attention_tiles import BLOCK
from goodput.models.rotary import rotary_tables


class Buffers(NamedTuple):
    """Scratch of a step. The last five have one entry per thread."""

    hidden: Any  # float32 [rows, hidden]
    branch: Any  # float32 [rows, hidden], what attention or MLP gives before its norm
    qkv: Any  # float32 [rows, (heads + 2 kv_heads) * head_dim]
    attended: Any  # float32 [rows, heads * head_dim]
    gate_up: Any  # float32 [rows, 2 * intermediate]
    quantized: Any  # int16 [rows * widest]
    row_scales: Any  # float32 [rows]
    last: Any  # float32 [samples, hidden]
    logits: Any  # float32 [samples, padded vocabulary]
    cosines: Any  # float32 [1, or 2 with local layers; context, head_dim / 2]
    sines: Any
    counter: Any  # int64 [8], the barrier's
    row: Any  # float32 [threads, widest]
    widened: Any  # int16 [threads, widest * 16]
    queries: Any  # float32 [threads, 6, head_dim]
    outputs: Any  # float32 [threads, 6, head_dim]
    scores: Any  # float32 [threads, 6, context]


def make_buffers(
    config: ModelConfig, *, rows: int, samples: int, threads: int, padded_vocabulary: int
) -> Buffers:
    """Memory for steps of up to ``rows`` rows, ``samples`` of which want logits."""
    attended = config.heads * config.head_dim
    qkv = attended + 2 * config.kv_heads * config.head_dim
    widest = max(config.hidden_size, attended, config.intermediate_size)
    context = -(-config.context_length // BLOCK) * BLOCK
    tile = (threads, TILE_ROWS, config.head_dim)
    turns = [rotary_tables(config, local=local) for local in (False, True)[: _kinds(config)]]
    most = max(rows, samples)
    return Buffers(
        hidden=np.empty((rows, config.hidden_size), np.float32),
        branch=np.empty((rows if config.post_norms else 0, config.hidden_size), np.float32),
        qkv=np.empty((rows, qkv), np.float32),
        attended=np.empty((rows, attended), np.float32),
        gate_up=np.empty((rows, 2 * config.intermediate_size), np.float32),
        quantized=np.empty(most * widest, np.int16),
        row_scales=np.empty(most, np.float32),
        last=np.empty((samples, config.hidden_size), np.float32),
        logits=np.empty((samples, padded_vocabulary), np.float32),
        cosines=np.stack([cosines for cosines, _ in turns]),
        sines=np.stack([sines for _, sines in turns]),
        counter=np.zeros(8, np.int64),
        row=np.empty((threads, widest), np.float32),
        widened=np.empty((threads, widest * 16), np.int16),
        queries=np.empty(tile, np.float32),
        outputs=np.empty(tile, np.float32),
        scores=np.empty((threads, TILE_ROWS, context), np.float32),
    )


def _kinds(config: ModelConfig) -> int:
    """How many rotary tables the model has: local layers turn by their own."""
    return 2 if config.local_layers else 1
