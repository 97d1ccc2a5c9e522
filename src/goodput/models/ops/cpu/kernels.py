"""The fused steps of a decoder layer, compiled: loops that lay tiles over the step's rows.

Arrays are C-contiguous; addresses are taken once per call. Nothing here allocates per row.
Compiled once per machine and cached on disk by Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from goodput.models.ops.cpu.attention_tiles import (
    BLOCK,
    make_score_tile,
    make_value_tile,
    softmax_row,
    store_half,
)
from goodput.models.ops.cpu.gemm_tiles import PANEL, make_gemm_tile
from goodput.models.ops.cpu.row_kernels import gated_row, peak_row, quantize_row, rms_norm_row

_gemm_1 = make_gemm_tile(1, unroll=2)
_gemm_2 = make_gemm_tile(2, unroll=2)
_gemm_4 = make_gemm_tile(4, unroll=2)
_gemm_6 = make_gemm_tile(6, unroll=2)
_score_1, _score_2, _score_3, _score_6 = (make_score_tile(rows) for rows in (1, 2, 3, 6))
_value_1, _value_2, _value_3, _value_6 = (make_value_tile(rows) for rows in (1, 2, 3, 6))

ROW_CHUNK = 24
"""Activation rows that pass over all weight panels together: few, so outputs stay cached."""

ATTENTION_ROWS = 6
"""Query rows of the largest attention tile."""

compiled = njit(nogil=True, cache=True, boundscheck=False)


@compiled
def quantize(
    x: int, width: int, peak: float, limit: float, scales: Any, out: int, row: int
) -> None:
    """Quantize one float row at address ``x`` into row ``row`` of the int16 matrix at ``out``."""
    if peak > 0.0:
        scales[row] = peak / limit
        factor = np.float32(limit / peak)
    else:
        scales[row] = 0.0
        factor = np.float32(0.0)
    quantize_row(x, width, factor, out + 2 * row * width)


@compiled
def gemm(
    activations: Any,
    row_scales: Any,
    rows: int,
    weights: Any,
    channel_scales: Any,
    out: Any,
    accumulate: bool,
) -> None:
    """out[:rows] (+)= (activations[:rows] @ weights.T) * row_scales * channel_scales.

    activations: int16 [.., k]; weights: int8 panels [n / 16, k / 2, 16, 2]; out: float32 [.., n].
    """
    panels, pairs = weights.shape[0], weights.shape[1]
    k, ldo = 2 * pairs, out.shape[1]
    a, w, o = activations.ctypes.data, weights.ctypes.data, out.ctypes.data
    rs, cs = row_scales.ctypes.data, channel_scales.ctypes.data
    for first in range(0, rows, ROW_CHUNK):
        last = min(rows, first + ROW_CHUNK)
        for panel in range(panels):
            pw = w + panel * PANEL * k
            pc = cs + 4 * PANEL * panel
            po = o + 4 * PANEL * panel
            r = first
            while r + 6 <= last:
                _gemm_6(
                    a + 2 * r * k, k, pw, pairs, po + 4 * r * ldo, ldo, rs + 4 * r, pc, accumulate
                )
                r += 6
            if r + 4 <= last:
                _gemm_4(
                    a + 2 * r * k, k, pw, pairs, po + 4 * r * ldo, ldo, rs + 4 * r, pc, accumulate
                )
                r += 4
            if r + 2 <= last:
                _gemm_2(
                    a + 2 * r * k, k, pw, pairs, po + 4 * r * ldo, ldo, rs + 4 * r, pc, accumulate
                )
                r += 2
            if r < last:
                _gemm_1(
                    a + 2 * r * k, k, pw, pairs, po + 4 * r * ldo, ldo, rs + 4 * r, pc, accumulate
                )


@compiled
def norm_gemm(
    hidden: Any,
    rows: int,
    norm: Any,
    epsilon: float,
    weights: Any,
    channel_scales: Any,
    limit: float,
    bias: Any,
    normed: Any,
    quantized: Any,
    row_scales: Any,
    out: Any,
) -> None:
    """out[:rows] = rms_norm(hidden[:rows]) @ weights.T + bias, activations quantized per row.

    ``normed`` is a float32 row of scratch; ``bias`` has length 0 where there is none.
    """
    width = hidden.shape[1]
    h, n, f, q = hidden.ctypes.data, norm.ctypes.data, normed.ctypes.data, quantized.ctypes.data
    for row in range(rows):
        peak = rms_norm_row(h + 4 * row * width, n, width, epsilon, f)
        quantize(f, width, peak, limit, row_scales, q, row)
        if bias.shape[0] > 0:
            out[row] = bias
    gemm(quantized, row_scales, rows, weights, channel_scales, out, bias.shape[0] > 0)


@compiled
def rotate_and_store(
    qkv: Any,
    positions: Any,
    row_starts: Any,
    tables: Any,
    cosines: Any,
    sines: Any,
    heads: int,
    kv_heads: int,
    head_dim: int,
    keys: int,
    values: int,
    block_bytes: int,
) -> None:
    """Rotate queries in place (scaled by 1/sqrt(head_dim)); rotate keys; write KV to the pool.

    ``keys`` and ``values`` are pool addresses of this layer's slices in block 0.
    """
    half = head_dim // 2
    scale = np.float32(1.0 / np.sqrt(head_dim))
    head_bytes = 2 * BLOCK * head_dim
    for sequence in range(row_starts.shape[0] - 1):
        for row in range(row_starts[sequence], row_starts[sequence + 1]):
            position = positions[row]
            cosine, sine = cosines[position], sines[position]
            for head in range(heads):
                base = head * head_dim
                for d in range(half):
                    a, b = qkv[row, base + d], qkv[row, base + half + d]
                    qkv[row, base + d] = (a * cosine[d] - b * sine[d]) * scale
                    qkv[row, base + half + d] = (b * cosine[d] + a * sine[d]) * scale
            block = np.int64(tables[sequence, position // BLOCK]) * block_bytes
            offset = position % BLOCK
            for head in range(kv_heads):
                base = (heads + head) * head_dim
                where = keys + block + head * head_bytes + 2 * offset
                for d in range(half):
                    a, b = qkv[row, base + d], qkv[row, base + half + d]
                    store_half(where + 2 * BLOCK * d, a * cosine[d] - b * sine[d])
                    store_half(where + 2 * BLOCK * (half + d), b * cosine[d] + a * sine[d])
                base = (heads + kv_heads + head) * head_dim
                where = values + block + head * head_bytes + 2 * BLOCK * offset
                for part in range(head_dim // BLOCK):
                    for d in range(BLOCK):
                        store_half(
                            where + 2 * (part * BLOCK * BLOCK + d),
                            qkv[row, base + part * BLOCK + d],
                        )


@compiled
def _tile_scores(
    rows: int, q: int, dim: int, k: int, table: int, blocks: int, stride: int, s: int, lds: int
) -> None:
    if rows == 6:
        _score_6(q, dim, k, table, blocks, stride, s, lds)
    elif rows == 3:
        _score_3(q, dim, k, table, blocks, stride, s, lds)
    elif rows == 2:
        _score_2(q, dim, k, table, blocks, stride, s, lds)
    else:
        _score_1(q, dim, k, table, blocks, stride, s, lds)


@compiled
def _tile_values(
    rows: int, s: int, lds: int, v: int, table: int, blocks: int, stride: int, o: int, dim: int
) -> None:
    if rows == 6:
        _value_6(s, lds, v, table, blocks, stride, o, dim)
    elif rows == 3:
        _value_3(s, lds, v, table, blocks, stride, o, dim)
    elif rows == 2:
        _value_2(s, lds, v, table, blocks, stride, o, dim)
    else:
        _value_1(s, lds, v, table, blocks, stride, o, dim)


@compiled
def attend(
    qkv: Any,
    positions: Any,
    row_starts: Any,
    tables: Any,
    heads: int,
    kv_heads: int,
    head_dim: int,
    keys: int,
    values: int,
    block_bytes: int,
    queries: Any,
    scores: Any,
    outputs: Any,
    out: Any,
) -> None:
    """out[row] = softmax(q k^T) v over positions 0..position of each row, for all heads.

    Tiles hold up to 6 (row, head) pairs that read the same KV head. Scratch: queries and outputs
    [6, head_dim], scores [6, context] (a multiple of 16).
    """
    group = heads // kv_heads
    head_bytes = 2 * BLOCK * head_dim
    lds = scores.shape[1]
    q, s, o = queries.ctypes.data, scores.ctypes.data, outputs.ctypes.data
    for sequence in range(row_starts.shape[0] - 1):
        first = row_starts[sequence]
        pairs = (row_starts[sequence + 1] - first) * group
        table = tables.ctypes.data + 4 * sequence * tables.shape[1]
        for kv_head in range(kv_heads):
            k = keys + kv_head * head_bytes
            v = values + kv_head * head_bytes
            pair = 0
            while pair < pairs:
                left = pairs - pair
                tile = 6 if left >= 6 else (3 if left >= 3 else left)
                for i in range(tile):
                    row = first + (pair + i) // group
                    base = (kv_head * group + (pair + i) % group) * head_dim
                    for d in range(head_dim):
                        queries[i, d] = qkv[row, base + d]
                furthest = positions[first + (pair + tile - 1) // group]
                blocks = furthest // BLOCK + 1
                _tile_scores(tile, q, head_dim, k, table, blocks, block_bytes, s, lds)
                for i in range(tile):
                    row = first + (pair + i) // group
                    inverse = softmax_row(s + 4 * i * lds, positions[row] + 1, blocks * BLOCK)
                    queries[i, 0] = inverse
                _tile_values(tile, s, lds, v, table, blocks, block_bytes, o, head_dim)
                for i in range(tile):
                    row = first + (pair + i) // group
                    base = (kv_head * group + (pair + i) % group) * head_dim
                    inverse = queries[i, 0]
                    for d in range(head_dim):
                        out[row, base + d] = outputs[i, d] * inverse
                pair += tile


@compiled
def quantized_gemm(
    x: Any,
    rows: int,
    weights: Any,
    channel_scales: Any,
    limit: float,
    quantized: Any,
    row_scales: Any,
    out: Any,
) -> None:
    """out[:rows] += x[:rows] @ weights.T, activations quantized per row."""
    width = x.shape[1]
    for row in range(rows):
        start = x.ctypes.data + 4 * row * width
        peak = peak_row(start, width)
        quantize(start, width, peak, limit, row_scales, quantized.ctypes.data, row)
    gemm(quantized, row_scales, rows, weights, channel_scales, out, True)


@compiled
def gated_gemm(
    gate_up: Any,
    rows: int,
    weights: Any,
    channel_scales: Any,
    limit: float,
    product: Any,
    quantized: Any,
    row_scales: Any,
    out: Any,
) -> None:
    """out[:rows] += (silu(gate) * up) @ weights.T; gate_up: [.., 2 * width], gate first."""
    width = gate_up.shape[1] // 2
    p = product.ctypes.data
    for row in range(rows):
        start = gate_up.ctypes.data + 8 * row * width
        peak = gated_row(start, start + 4 * width, width, p)
        quantize(p, width, peak, limit, row_scales, quantized.ctypes.data, row)
    gemm(quantized, row_scales, rows, weights, channel_scales, out, True)
