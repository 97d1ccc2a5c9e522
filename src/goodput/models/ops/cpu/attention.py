"""Rotary positions, the KV pool's writes, and attention: loops that lay tiles over a step's rows.

Every function is run by all threads of a team with its own ``thread`` number; together they cover
the work, and no row or tile is computed by two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goodput.models.ops.cpu.attention_tiles import (
    BLOCK,
    make_score_tile,
    make_value_tile,
    softmax_row,
    store_half,
)
from goodput.models.ops.cpu.lowering import compiled
from goodput.models.ops.cpu.row_kernels import rms_norm_row

_score_1, _score_2, _score_3, _score_6 = (make_score_tile(rows) for rows in (1, 2, 3, 6))
_value_1, _value_2, _value_3, _value_6 = (make_value_tile(rows) for rows in (1, 2, 3, 6))

TILE_ROWS = 6
"""Query rows of the largest attention tile."""


@compiled
def _norm_heads(heads: Any, head_dim: int, norm: int, epsilon: float) -> None:
    """Normalize each head of float32 [n * head_dim] in place."""
    start = heads.ctypes.data
    for head in range(len(heads) // head_dim):
        where = start + 4 * head * head_dim
        rms_norm_row(where, norm, head_dim, epsilon, where)


@compiled
def rotate_and_store(
    thread: int,
    threads: int,
    qkv: Any,
    positions: Any,
    row_starts: Any,
    tables: Any,
    cosines: Any,
    sines: Any,
    heads: int,
    kv_heads: int,
    head_dim: int,
    query_scale: float,
    query_norm: int,
    key_norm: int,
    epsilon: float,
    keys: int,
    values: int,
    block_bytes: int,
) -> None:
    """Rotate queries in place, scaled; rotate keys; write keys and values to the pool.

    ``query_norm`` and ``key_norm`` are addresses of the norms of every head before it is turned,
    or 0. ``keys`` and ``values`` are pool addresses of this layer's slices in block 0.
    """
    half = head_dim // 2
    scale = np.float32(query_scale)
    head_bytes = 2 * BLOCK * head_dim
    rows = len(positions)
    mine, end = rows * thread // threads, rows * (thread + 1) // threads
    for sequence in range(row_starts.shape[0] - 1):
        first, last = max(row_starts[sequence], mine), min(row_starts[sequence + 1], end)
        for row in range(first, last):
            position = positions[row]
            cosine, sine = cosines[position], sines[position]
            if query_norm != 0:
                _norm_heads(qkv[row, : heads * head_dim], head_dim, query_norm, epsilon)
                middle = qkv[row, heads * head_dim : (heads + kv_heads) * head_dim]
                _norm_heads(middle, head_dim, key_norm, epsilon)
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
    rows: int,
    q: int,
    dim: int,
    k: int,
    v: int,
    table: int,
    blocks: int,
    stride: int,
    s: int,
    lds: int,
) -> None:
    if rows == 6:
        _score_6(q, dim, k, v, table, blocks, stride, s, lds)
    elif rows == 3:
        _score_3(q, dim, k, v, table, blocks, stride, s, lds)
    elif rows == 2:
        _score_2(q, dim, k, v, table, blocks, stride, s, lds)
    else:
        _score_1(q, dim, k, v, table, blocks, stride, s, lds)


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
    thread: int,
    threads: int,
    qkv: Any,
    positions: Any,
    row_starts: Any,
    tables: Any,
    window: int,
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
    """out[row] = softmax(q k^T) v over the last ``window`` positions up to each row's, all heads.

    Blocks before the window of a tile's first row are not read; where its rows see different
    blocks, those that a row does not see add exact zeros to it.
    Tiles hold up to 6 (row, head) pairs that read the same KV head; threads take them in turn,
    since later ones cost more. Scratch, per thread: queries and outputs [6, head_dim], scores
    [6, context] (a multiple of 16).
    """
    group = heads // kv_heads
    head_bytes = 2 * BLOCK * head_dim
    lds = scores.shape[1]
    q, s, o = queries.ctypes.data, scores.ctypes.data, outputs.ctypes.data
    turn = 0
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
                turn = (turn + 1) % threads
                if turn != thread:
                    pair += tile
                    continue
                for i in range(tile):
                    row = first + (pair + i) // group
                    base = (kv_head * group + (pair + i) % group) * head_dim
                    for d in range(head_dim):
                        queries[i, d] = qkv[row, base + d]
                furthest = positions[first + (pair + tile - 1) // group]
                start = max(0, positions[first + pair // group] + 1 - window) // BLOCK
                origin, seen = start * BLOCK, table + 4 * start
                blocks = furthest // BLOCK + 1 - start
                _tile_scores(tile, q, head_dim, k, v, seen, blocks, block_bytes, s, lds)
                for i in range(tile):
                    row = first + (pair + i) // group
                    end = positions[row] + 1
                    begin = max(0, end - window) - origin
                    inverse = softmax_row(s + 4 * i * lds, begin, end - origin, blocks * BLOCK)
                    queries[i, 0] = inverse
                _tile_values(tile, s, lds, v, seen, blocks, block_bytes, o, head_dim)
                for i in range(tile):
                    row = first + (pair + i) // group
                    base = (kv_head * group + (pair + i) % group) * head_dim
                    inverse = queries[i, 0]
                    for d in range(head_dim):
                        out[row, base + d] = outputs[i, d] * inverse
                pair += tile
