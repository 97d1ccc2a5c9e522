"""One whole step, compiled: every thread of a team runs ``forward`` with its own number.

Between Python and the machine there is this one call a step. A barrier separates the phases of a
layer; within a phase threads own disjoint rows, tiles or output channels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from goodput.models.ops.cpu.attention import attend, rotate_and_store
from goodput.models.ops.cpu.buffers import Buffers
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.layer_table import (
    ATTENTION_NORM,
    DOWN,
    GATE_UP,
    KEY_NORM,
    MLP_NORM,
    OUTPUT,
    POST_ATTENTION_NORM,
    POST_MLP_NORM,
    QKV,
    QUERY_NORM,
    ROPE,
    WINDOW,
)
from goodput.models.ops.cpu.lowering import compiled
from goodput.models.ops.cpu.projections import (
    multiply,
    quantize_gated,
    quantize_normed,
    quantize_plain,
)
from goodput.models.ops.cpu.row_kernels import add_rms_norm_row
from goodput.models.ops.cpu.team import barrier


class Shape(NamedTuple):
    """The model's dimensions, and how its KV pool lies (addresses and bytes)."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    pool: int
    block_bytes: int
    layer_bytes: int
    epsilon: float
    attention_scale: float
    gelu: bool


class Limits(NamedTuple):
    """Largest quantized activation of each width (``packing.activation_limit``)."""

    hidden: float
    attended: float
    gated: float


@compiled
def add_normed(
    thread: int,
    threads: int,
    x: int,
    rows: int,
    width: int,
    norm: int,
    epsilon: float,
    hidden: int,
) -> None:
    """hidden += norm(x) in this thread's rows; both float32 [rows, width]."""
    for row in range(rows * thread // threads, rows * (thread + 1) // threads):
        offset = 4 * row * width
        add_rms_norm_row(x + offset, norm, width, epsilon, hidden + offset)


@compiled
def forward(
    thread: int,
    threads: int,
    shape: Shape,
    limits: Limits,
    table: Any,
    biases: Any,
    final_norm: int,
    head: Any,
    buffers: Buffers,
    positions: Any,
    row_starts: Any,
    tables: Any,
    sample_rows: Any,
) -> None:
    """hidden → all layers → logits[: len(sample_rows)]; writes the rows' keys and values.

    ``table``: ``layer_table``'s; ``biases``: float32 [layers or 0, qkv width]; ``head``:
    int64 (weights, channel scales, kind, panels).
    """
    rows, width, middle = len(positions), shape.hidden, shape.intermediate
    attended_width = shape.heads * shape.head_dim
    qkv_width = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
    hidden, qkv = buffers.hidden.ctypes.data, buffers.qkv.ctypes.data
    attended, gate_up = buffers.attended.ctypes.data, buffers.gate_up.ctypes.data
    quantized, row_scales = buffers.quantized.ctypes.data, buffers.row_scales
    scales = row_scales.ctypes.data
    counter = buffers.counter.ctypes.data
    row = buffers.row[thread].ctypes.data
    widened = buffers.widened[thread].ctypes.data
    sandwiched = len(buffers.branch) > 0
    target = buffers.branch.ctypes.data if sandwiched else hidden
    for layer in range(shape.layers):
        entry = table[layer]
        quantize_normed(
            thread, threads, hidden, rows, width, entry[ATTENTION_NORM], shape.epsilon,
            limits.hidden, row, quantized, row_scales,
        )  # fmt: skip
        biased = len(biases) > 0
        if biased:
            for i in range(rows * thread // threads, rows * (thread + 1) // threads):
                buffers.qkv[i] = biases[layer]
        barrier(counter, threads)
        multiply(
            thread, threads, quantized, scales, rows, width, entry[QKV + 2], entry[QKV],
            entry[QKV + 1], qkv_width // PANEL, qkv, qkv_width, biased, widened,
        )  # fmt: skip
        barrier(counter, threads)
        keys = shape.pool + layer * shape.layer_bytes
        values = keys + shape.layer_bytes // 2
        rotate_and_store(
            thread, threads, buffers.qkv, positions, row_starts, tables,
            buffers.cosines[entry[ROPE]], buffers.sines[entry[ROPE]], shape.heads,
            shape.kv_heads, shape.head_dim, shape.attention_scale, entry[QUERY_NORM],
            entry[KEY_NORM], shape.epsilon, keys, values, shape.block_bytes,
        )  # fmt: skip
        barrier(counter, threads)
        attend(
            thread, threads, buffers.qkv, positions, row_starts, tables, entry[WINDOW],
            shape.heads, shape.kv_heads, shape.head_dim, keys, values, shape.block_bytes,
            buffers.queries[thread], buffers.scores[thread], buffers.outputs[thread],
            buffers.attended,
        )  # fmt: skip
        barrier(counter, threads)
        quantize_plain(
            thread, threads, attended, rows, attended_width, limits.attended, quantized, row_scales
        )
        barrier(counter, threads)
        multiply(
            thread, threads, quantized, scales, rows, attended_width, entry[OUTPUT + 2],
            entry[OUTPUT], entry[OUTPUT + 1], width // PANEL, target, width, not sandwiched,
            widened,
        )  # fmt: skip
        barrier(counter, threads)
        if sandwiched:  # of the same rows as the norm that comes next: no barrier between
            add_normed(
                thread, threads, target, rows, width, entry[POST_ATTENTION_NORM], shape.epsilon,
                hidden,
            )  # fmt: skip
        quantize_normed(
            thread, threads, hidden, rows, width, entry[MLP_NORM], shape.epsilon,
            limits.hidden, row, quantized, row_scales,
        )  # fmt: skip
        barrier(counter, threads)
        multiply(
            thread, threads, quantized, scales, rows, width, entry[GATE_UP + 2], entry[GATE_UP],
            entry[GATE_UP + 1], 2 * middle // PANEL, gate_up, 2 * middle, False, widened,
        )  # fmt: skip
        barrier(counter, threads)
        quantize_gated(
            thread, threads, gate_up, rows, middle, shape.gelu, limits.gated, row, quantized,
            row_scales,
        )  # fmt: skip
        barrier(counter, threads)
        multiply(
            thread, threads, quantized, scales, rows, middle, entry[DOWN + 2], entry[DOWN],
            entry[DOWN + 1], width // PANEL, target, width, not sandwiched, widened,
        )  # fmt: skip
        barrier(counter, threads)
        if sandwiched:
            add_normed(
                thread, threads, target, rows, width, entry[POST_MLP_NORM], shape.epsilon, hidden
            )
            barrier(counter, threads)
    samples = len(sample_rows)
    for i in range(samples * thread // threads, samples * (thread + 1) // threads):
        buffers.last[i] = buffers.hidden[sample_rows[i]]
    quantize_normed(
        thread, threads, buffers.last.ctypes.data, samples, width, final_norm, shape.epsilon,
        limits.hidden, row, quantized, row_scales,
    )  # fmt: skip
    barrier(counter, threads)
    multiply(
        thread, threads, quantized, scales, samples, width, head[2], head[0], head[1], head[3],
        buffers.logits.ctypes.data, buffers.logits.shape[1], False, widened,
    )  # fmt: skip
    barrier(counter, threads)
