"""Attention over paged 16-bit keys and values: three tiles, explicit in their order of sums.

One KV head's slice of a block holds keys as [head_dim, 16] and values as [head_dim / 16, 16, 16]
(position, then dimension), both float16 (``kv/layout.py``). So keys are vectors across positions
and values vectors across dimensions, and no tile needs a horizontal sum. Every query row is
computed by the same instructions in the same order whether it shares its tile or not.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from goodput.models.ops.cpu.lowering import (
    CACHE_LINE,
    F16,
    F32,
    FLOAT_LANES,
    I32,
    I64,
    accumulators,
    constant,
    fma,
    i64,
    intrinsic_call,
    load,
    loop,
    prefetch,
    splat,
    store,
    vector,
)
from goodput.models.ops.cpu.row_kernels import WIDE, exponential, ordered_sum

BLOCK = 16
"""Positions of one KV block on this backend."""

_HALVES = BLOCK // FLOAT_LANES

# Of a decode step every block comes from memory, and blocks are far apart, so no hardware
# prefetcher foresees them: a smaller tile asks for the keys of the block after the next one, and
# for the values that the next pass reads. The largest tile is a prompt's, whose blocks are in the
# cache already.
_KEYS_AHEAD = 2
_VALUES_AHEAD = 8
_MOST_ROWS_AHEAD = 3


def _load_halves(builder: Any, base: Any, offset: Any) -> list[Any]:
    """16 float16 values as two float32 vectors."""
    return [
        builder.fpext(
            load(
                builder,
                base,
                builder.add(offset, i64(2 * FLOAT_LANES * j)),
                vector(F16, FLOAT_LANES),
            ),
            WIDE,
        )
        for j in range(_HALVES)
    ]


def _block_address(builder: Any, pool: Any, table: Any, block: Any, block_bytes: Any) -> Any:
    """Address of this head's slice in the sequence's block number ``block``."""
    number = load(builder, table, builder.mul(block, i64(4)), I32)
    return builder.add(pool, builder.mul(builder.sext(number, I64), block_bytes))


def _later(builder: Any, index: Any, count: Any, distance: int) -> Any:
    """``index + distance``, but the last of ``count`` at the most."""
    later, last = builder.add(index, i64(distance)), builder.sub(count, i64(1))
    return builder.select(builder.icmp_signed("<", later, last), later, last)


def make_score_tile(rows: int) -> Any:
    """tile(queries, head_dim, keys, values, table, blocks, block_bytes, scores, lds).

    queries: float32 [rows, head_dim], already scaled. scores: float32 [rows, lds].
    ``keys`` and ``values`` are the pool addresses of the head's slices in block 0; values are only
    asked for, into the cache.
    """

    @intrinsic
    def tile(
        typing_context: Any,
        queries: Any,
        head_dim: Any,
        keys: Any,
        values: Any,
        table: Any,
        blocks: Any,
        block_bytes: Any,
        scores: Any,
        lds: Any,
    ) -> Any:
        uint, size = types.uintp, types.intp
        signature = types.void(uint, size, uint, uint, uint, size, size, uint, size)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            queries, head_dim, keys, values, table, blocks, block_bytes, scores, lds = args
            query_starts = [
                builder.add(queries, builder.mul(i64(4 * row), head_dim)) for row in range(rows)
            ]
            with loop(builder, blocks) as over_blocks:
                base = _block_address(builder, keys, table, over_blocks.index, block_bytes)
                later = _later(builder, over_blocks.index, blocks, _KEYS_AHEAD)
                ahead = _block_address(builder, keys, table, later, block_bytes)
                behind = _block_address(builder, values, table, over_blocks.index, block_bytes)
                sums = accumulators(builder, WIDE, rows, _HALVES)
                with loop(builder, head_dim) as over_dims:
                    place = builder.mul(over_dims.index, i64(2 * BLOCK))
                    if rows <= _MOST_ROWS_AHEAD:
                        prefetch(builder, ahead, place)
                        prefetch(builder, behind, place)
                    key = _load_halves(builder, base, place)
                    offset = builder.mul(over_dims.index, i64(4))
                    for row in range(rows):
                        query = splat(
                            builder, load(builder, query_starts[row], offset, F32), FLOAT_LANES
                        )
                        for j in range(_HALVES):
                            slot = sums[row][j]
                            builder.store(fma(builder, query, key[j], builder.load(slot)), slot)
                column = builder.mul(over_blocks.index, i64(4 * BLOCK))
                for row in range(rows):
                    start = builder.add(builder.add(scores, builder.mul(i64(4 * row), lds)), column)
                    for j in range(_HALVES):
                        store(builder, builder.load(sums[row][j]), start, i64(4 * FLOAT_LANES * j))
            return context.get_dummy_value()

        return signature, generate

    return tile


def make_value_tile(rows: int) -> Any:
    """tile(weights, ldw, values, table, blocks, block_bytes, out, head_dim).

    weights: float32 [rows, ldw], one per position, zero where masked.
    out: float32 [rows, head_dim] = weights @ values.
    """

    @intrinsic
    def tile(
        typing_context: Any,
        weights: Any,
        ldw: Any,
        values: Any,
        table: Any,
        blocks: Any,
        block_bytes: Any,
        out: Any,
        head_dim: Any,
    ) -> Any:
        uint, size = types.uintp, types.intp
        signature = types.void(uint, size, uint, uint, size, size, uint, size)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            weights, ldw, values, table, blocks, block_bytes, out, head_dim = args
            weight_starts = [
                builder.add(weights, builder.mul(i64(4 * row), ldw)) for row in range(rows)
            ]
            with loop(builder, builder.sdiv(head_dim, i64(BLOCK))) as over_dims:
                slice_offset = builder.mul(over_dims.index, i64(2 * BLOCK * BLOCK))
                sums = accumulators(builder, WIDE, rows, _HALVES)
                with loop(builder, blocks) as over_blocks:
                    base = builder.add(
                        _block_address(builder, values, table, over_blocks.index, block_bytes),
                        slice_offset,
                    )
                    if rows <= _MOST_ROWS_AHEAD:
                        later = _later(builder, over_blocks.index, blocks, _VALUES_AHEAD)
                        ahead = _block_address(builder, values, table, later, block_bytes)
                        for line in range(0, 2 * BLOCK * BLOCK, CACHE_LINE):
                            prefetch(builder, ahead, builder.add(slice_offset, i64(line)))
                    column = builder.mul(over_blocks.index, i64(4 * BLOCK))
                    for position in range(BLOCK):
                        value = _load_halves(builder, base, i64(2 * BLOCK * position))
                        offset = builder.add(column, i64(4 * position))
                        for row in range(rows):
                            weight = splat(
                                builder,
                                load(builder, weight_starts[row], offset, F32),
                                FLOAT_LANES,
                            )
                            for j in range(_HALVES):
                                slot = sums[row][j]
                                builder.store(
                                    fma(builder, weight, value[j], builder.load(slot)), slot
                                )
                column = builder.mul(over_dims.index, i64(4 * BLOCK))
                for row in range(rows):
                    start = builder.add(
                        builder.add(out, builder.mul(i64(4 * row), head_dim)), column
                    )
                    for j in range(_HALVES):
                        store(builder, builder.load(sums[row][j]), start, i64(4 * FLOAT_LANES * j))
            return context.get_dummy_value()

        return signature, generate

    return tile


@intrinsic
def softmax_row(typing_context: Any, scores: Any, begin: Any, end: Any, padded: Any) -> Any:
    """softmax_row(scores, begin, end, padded) -> 1 / sum; scores become exp(score - max).

    They are not normalized. Entries before ``begin``, and from ``end`` to ``padded`` (a multiple
    of 16), become exactly zero; entry 0 must lie at a multiple of 8 of the sequence's positions,
    so that a position's lane, hence the order of sums, is the same wherever reading begins.
    """
    signature = types.float32(types.uintp, types.intp, types.intp, types.intp)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        scores, begin, end, padded = args
        # One signed comparison for begin <= entry < end: counted from begin, and shifted so that
        # what lies before it wraps round to the largest numbers.
        shift = builder.sub(ir.Constant(I32, -(2**31)), builder.trunc(begin, I32))
        lane_numbers = builder.add(
            ir.Constant(vector(I32, FLOAT_LANES), list(range(FLOAT_LANES))),
            splat(builder, shift, FLOAT_LANES),
        )
        limit = splat(builder, builder.add(builder.trunc(end, I32), shift), FLOAT_LANES)
        steps = builder.sdiv(padded, i64(FLOAT_LANES))
        lowest = constant(F32, FLOAT_LANES, -3.0e38)
        peaks = cgutils.alloca_once_value(builder, lowest)
        sums = cgutils.alloca_once_value(builder, constant(F32, FLOAT_LANES, 0.0))

        def chunk(index: Any) -> tuple[Any, Any, Any]:
            offset = builder.mul(index, i64(4 * FLOAT_LANES))
            entry = builder.trunc(builder.mul(index, i64(FLOAT_LANES)), I32)
            first = splat(builder, entry, FLOAT_LANES)
            inside = builder.icmp_signed("<", builder.add(first, lane_numbers), limit)
            return offset, inside, load(builder, scores, offset, WIDE)

        with loop(builder, steps) as over:
            _, inside, value = chunk(over.index)
            value = builder.select(inside, value, lowest)
            builder.store(
                intrinsic_call(builder, "llvm.maxnum.v8f32", WIDE, [builder.load(peaks), value]),
                peaks,
            )
        peak = intrinsic_call(builder, "llvm.vector.reduce.fmax.v8f32", F32, [builder.load(peaks)])
        peak_lanes = splat(builder, peak, FLOAT_LANES)
        with loop(builder, steps) as over:
            offset, inside, value = chunk(over.index)
            value = builder.select(inside, value, peak_lanes)
            value = exponential(builder, builder.fsub(value, peak_lanes))
            value = builder.select(inside, value, constant(F32, FLOAT_LANES, 0.0))
            store(builder, value, scores, offset)
            builder.store(builder.fadd(builder.load(sums), value), sums)
        total = ordered_sum(builder, builder.load(sums))
        return builder.fdiv(ir.Constant(F32, 1.0), total)

    return signature, generate


@intrinsic
def store_half(typing_context: Any, where: Any, value: Any) -> Any:
    """Write a float32 as float16 at an address; values beyond its range saturate, never inf."""
    signature = types.void(types.uintp, types.float32)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        where, value = args
        for name, bound in (("minnum", 65504.0), ("maxnum", -65504.0)):
            value = intrinsic_call(
                builder, f"llvm.{name}.f32", F32, [value, ir.Constant(F32, bound)]
            )
        store(builder, builder.fptrunc(value, F16), where, i64(0))
        return context.get_dummy_value()

    return signature, generate
