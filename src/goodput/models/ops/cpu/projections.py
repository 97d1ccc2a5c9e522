"""The products: quantized activation rows times packed matrices, panel by panel.

Every function is run by all threads of a team; rows are shared out for quantizing, panels of output
channels for multiplying. A barrier must lie between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goodput.models.checkpoint.base import GROUP
from goodput.models.ops.cpu import widening
from goodput.models.ops.cpu.fused_tiles import make_fused_tile
from goodput.models.ops.cpu.gemm_tiles import PANEL, make_gemm_tile
from goodput.models.ops.cpu.lowering import compiled
from goodput.models.ops.cpu.row_kernels import (
    gelu_gated_row,
    peak_row,
    quantize_row,
    rms_norm_row,
    silu_gated_row,
)
from goodput.models.ops.cpu.widening import (
    EIGHT_BIT_GROUP_BYTES,
    FOUR_BIT_GROUP_BYTES,
    make_widen,
)

_tile_1, _tile_2, _tile_4, _tile_6 = (make_gemm_tile(rows, unroll=2) for rows in (1, 2, 4, 6))
_widen_four, _widen_eight = make_widen(widening.FOUR_BIT), make_widen(widening.EIGHT_BIT)
_four_1, _four_2, _four_4 = (make_fused_tile(rows, widening.FOUR_BIT) for rows in (1, 2, 4))
_eight_1, _eight_2, _eight_4 = (make_fused_tile(rows, widening.EIGHT_BIT) for rows in (1, 2, 4))

EIGHT_BIT, FOUR_BIT = 0, 1
"""How a matrix is packed."""

_FUSED_ROWS = 4
"""Up to here a panel is widened inside the tile; for more rows a buffer for it pays."""

_CHUNK_BYTES = 256 * 1024
"""Activations that share a widened panel: as many as stay in the L2 cache."""


@compiled
def _panel_rows(
    first: int,
    last: int,
    a: int,
    k: int,
    panel: int,
    o: int,
    ldo: int,
    rs: int,
    cs: int,
    add: bool,
    ahead: int,
) -> None:
    """Rows first..last times one widened panel, in the largest tiles that fit."""
    r, pairs = first, k // 2
    while r + 6 <= last:
        _tile_6(a + 2 * r * k, k, panel, pairs, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add, ahead)
        r += 6
    if r + 4 <= last:
        _tile_4(a + 2 * r * k, k, panel, pairs, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add, ahead)
        r += 4
    if r + 2 <= last:
        _tile_2(a + 2 * r * k, k, panel, pairs, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add, ahead)
        r += 2
    if r < last:
        _tile_1(a + 2 * r * k, k, panel, pairs, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add, ahead)


@compiled
def _fused_four(
    rows: int, a: int, k: int, panel: int, o: int, ldo: int, rs: int, cs: int, add: bool
) -> None:
    """A few rows times one stored four-bit panel."""
    r, groups = 0, k // GROUP
    while r + 4 <= rows:
        _four_4(a + 2 * r * k, k, panel, groups, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add)
        r += 4
    if r + 2 <= rows:
        _four_2(a + 2 * r * k, k, panel, groups, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add)
        r += 2
    if r < rows:
        _four_1(a + 2 * r * k, k, panel, groups, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add)


@compiled
def _fused_eight(
    rows: int, a: int, k: int, panel: int, o: int, ldo: int, rs: int, cs: int, add: bool
) -> None:
    """A few rows times one stored eight-bit panel."""
    r, groups = 0, k // GROUP
    while r + 4 <= rows:
        _eight_4(a + 2 * r * k, k, panel, groups, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add)
        r += 4
    if r + 2 <= rows:
        _eight_2(a + 2 * r * k, k, panel, groups, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add)
        r += 2
    if r < rows:
        _eight_1(a + 2 * r * k, k, panel, groups, o + 4 * r * ldo, ldo, rs + 4 * r, cs, add)


@compiled
def multiply(
    thread: int,
    threads: int,
    quantized: int,
    row_scales: int,
    rows: int,
    k: int,
    kind: int,
    weights: int,
    channel_scales: int,
    panels: int,
    out: int,
    ldo: int,
    add: bool,
    widened: int,
) -> None:
    """out[:rows, this thread's panels] (+)= (quantized @ weights.T) * row_scales * channel_scales.

    quantized: int16 [rows, k]; out: float32, rows ``ldo`` apart; ``widened``: scratch of this
    thread for one panel, int16 [k / 2, 16, 2]. All but counts are addresses.
    """
    mine, end = panels * thread // threads, panels * (thread + 1) // threads
    groups = k // GROUP
    four = kind == FOUR_BIT
    stride = groups * (FOUR_BIT_GROUP_BYTES if four else EIGHT_BIT_GROUP_BYTES)
    if rows <= _FUSED_ROWS:
        for panel in range(mine, end):
            stored, o = weights + panel * stride, out + 4 * PANEL * panel
            cs = channel_scales + 4 * PANEL * panel
            if four:
                _fused_four(rows, quantized, k, stored, o, ldo, row_scales, cs, add)
            else:
                _fused_eight(rows, quantized, k, stored, o, ldo, row_scales, cs, add)
        return
    chunk = max(6, _CHUNK_BYTES // (2 * k))
    for first in range(0, rows, chunk):
        last = min(rows, first + chunk)
        for panel in range(mine, end):
            stored, o = weights + panel * stride, out + 4 * PANEL * panel
            cs = channel_scales + 4 * PANEL * panel
            if four:
                _widen_four(stored, groups, widened)
            else:
                _widen_eight(stored, groups, widened)
            _panel_rows(
                first, last, quantized, k, widened, o, ldo, row_scales, cs, add, stored + stride
            )


@compiled
def _quantize(
    x: int, width: int, peak: float, limit: float, row: int, quantized: int, row_scales: Any
) -> None:
    """One float row at address ``x`` into row ``row`` of the int16 matrix at ``quantized``."""
    factor = 0.0
    if peak > 0.0:
        factor = limit / peak
    row_scales[row] = peak / limit
    quantize_row(x, width, np.float32(factor), quantized + 2 * row * width)


@compiled
def quantize_normed(
    thread: int,
    threads: int,
    hidden: int,
    rows: int,
    width: int,
    norm: int,
    epsilon: float,
    limit: float,
    scratch: int,
    quantized: int,
    row_scales: Any,
) -> None:
    """Norm and quantize this thread's rows of float32 ``hidden``; ``scratch``: one float row."""
    for row in range(rows * thread // threads, rows * (thread + 1) // threads):
        peak = rms_norm_row(hidden + 4 * row * width, norm, width, epsilon, scratch)
        _quantize(scratch, width, peak, limit, row, quantized, row_scales)


@compiled
def quantize_plain(
    thread: int,
    threads: int,
    x: int,
    rows: int,
    width: int,
    limit: float,
    quantized: int,
    row_scales: Any,
) -> None:
    """Quantize this thread's rows of float32 ``x``."""
    for row in range(rows * thread // threads, rows * (thread + 1) // threads):
        start = x + 4 * row * width
        _quantize(start, width, peak_row(start, width), limit, row, quantized, row_scales)


@compiled
def quantize_gated(
    thread: int,
    threads: int,
    gate_up: int,
    rows: int,
    width: int,
    gelu: bool,
    limit: float,
    scratch: int,
    quantized: int,
    row_scales: Any,
) -> None:
    """Quantize silu(gate) * up, or gelu's, of this thread's rows of float32 [rows, 2 * width]."""
    for row in range(rows * thread // threads, rows * (thread + 1) // threads):
        start = gate_up + 8 * row * width
        if gelu:
            peak = gelu_gated_row(start, start + 4 * width, width, scratch)
        else:
            peak = silu_gated_row(start, start + 4 * width, width, scratch)
        _quantize(scratch, width, peak, limit, row, quantized, row_scales)
