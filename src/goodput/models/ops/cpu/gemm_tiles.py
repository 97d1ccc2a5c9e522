"""The inner tile of the integer product: a few activation rows times a panel of channels.

Weights are panels of 16 output channels, in pairs along the inner dimension: int16 [k / 2, 16, 2]
(``widening.py`` makes them). Activations are int16 rows. The machine's pairwise multiply-add
(``vpmaddwd``; ``vpdpwssd`` where the CPU has VNNI) takes 16-bit lanes, so both may use more than 8
bits at no cost (``packing.activation_limit``).
Integer sums are exact: a row's result does not depend on the other rows of its tile.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from goodput.models.ops.cpu.lowering import (
    CACHE_LINE,
    F32,
    I16,
    I32,
    accumulators,
    constant,
    fma,
    i64,
    intrinsic_call,
    is_x86,
    load,
    loop,
    prefetch,
    splat,
    store,
    vector,
)

PANEL = 16
"""Output channels of one weight panel."""


def _host_lanes() -> int:
    """int32 lanes of the widest pairwise multiply-add: 16 with AVX-512BW, else 8."""
    try:
        return 16 if llvm.get_host_cpu_features().get("avx512bw", False) else 8
    except RuntimeError:  # a host that LLVM cannot name
        return 8


LANES = _host_lanes()


def _pair_products(builder: Any, a: Any, b: Any, lanes: int) -> Any:
    """Sums of neighbouring products: int16 [2 * lanes] x int16 [2 * lanes] -> int32 [lanes]."""
    returns = vector(I32, lanes)
    if is_x86():
        name = {8: "llvm.x86.avx2.pmadd.wd", 16: "llvm.x86.avx512.pmaddw.d.512"}[lanes]
        return intrinsic_call(builder, name, returns, [a, b])
    products = builder.mul(
        builder.sext(a, vector(I32, 2 * lanes)), builder.sext(b, vector(I32, 2 * lanes))
    )
    undefined = ir.Constant(products.type, ir.Undefined)
    even, odd = (
        builder.shuffle_vector(
            products,
            undefined,
            ir.Constant(vector(I32, lanes), [2 * lane + parity for lane in range(lanes)]),
        )
        for parity in (0, 1)
    )
    return builder.add(even, odd)


def broadcast_pair(builder: Any, row: Any, offset: Any, lanes: int) -> Any:
    """Two neighbouring int16 activations at ``row + offset`` bytes, in every int32 lane."""
    both = load(builder, row, offset, I32)
    return builder.bitcast(splat(builder, both, lanes), vector(I16, 2 * lanes))


def add_products(builder: Any, slot: Any, a: Any, b: Any, lanes: int) -> None:
    """slot += pairwise products of ``a`` and ``b``."""
    builder.store(builder.add(builder.load(slot), _pair_products(builder, a, b, lanes)), slot)


def make_gemm_tile(rows: int, unroll: int) -> Any:
    """A Numba intrinsic for ``rows`` activation rows against one panel.

    tile(a, lda, panel, pairs, out, ldo, row_scales, channel_scales, accumulate, ahead): addresses
    in bytes, ``lda``/``ldo`` in elements. Writes (or adds to) float32 ``out[rows, 16]`` the integer
    sums times both scales. ``pairs`` must be a multiple of ``unroll``. Asks for the memory from
    ``ahead`` on, a cache line per ``unroll`` pairs, so that it comes while this tile multiplies.
    """
    lanes, vectors = LANES, PANEL // LANES

    @intrinsic
    def tile(
        typing_context: Any,
        a: Any,
        lda: Any,
        panel: Any,
        pairs: Any,
        out: Any,
        ldo: Any,
        row_scales: Any,
        channel_scales: Any,
        accumulate: Any,
        ahead: Any,
    ) -> Any:
        uint, size = types.uintp, types.intp
        signature = types.void(uint, size, uint, size, uint, size, uint, uint, types.boolean, uint)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            a, lda, panel, pairs, out, ldo, row_scales, channel_scales, accumulate, ahead = args
            starts = [builder.add(a, builder.mul(i64(2 * row), lda)) for row in range(rows)]
            sums = accumulators(builder, vector(I32, lanes), rows, vectors)
            with loop(builder, builder.sdiv(pairs, i64(unroll))) as outer:
                prefetch(builder, ahead, builder.mul(outer.index, i64(CACHE_LINE)))
                for step in range(unroll):
                    pair = builder.add(builder.mul(outer.index, i64(unroll)), i64(step))
                    offset = builder.mul(pair, i64(4 * PANEL))
                    weights = [
                        load(
                            builder,
                            panel,
                            builder.add(offset, i64(4 * lanes * j)),
                            vector(I16, 2 * lanes),
                        )
                        for j in range(vectors)
                    ]
                    where = builder.mul(pair, i64(4))
                    for row in range(rows):
                        activations = broadcast_pair(builder, starts[row], where, lanes)
                        for j in range(vectors):
                            add_products(builder, sums[row][j], activations, weights[j], lanes)
            scale_and_store(builder, sums, lanes, out, ldo, row_scales, channel_scales, accumulate)
            return context.get_dummy_value()

        return signature, generate

    return tile


def scale_and_store(
    builder: Any,
    sums: list[list[Any]],
    lanes: int,
    out: Any,
    ldo: Any,
    row_scales: Any,
    channel_scales: Any,
    accumulate: Any,
) -> None:
    kind = vector(F32, lanes)
    zero = constant(F32, lanes, 0.0)
    for row, slots in enumerate(sums):
        row_scale = splat(builder, load(builder, row_scales, i64(4 * row), F32), lanes)
        start = builder.add(out, builder.mul(i64(4 * row), ldo))
        for j, slot in enumerate(slots):
            offset = i64(4 * lanes * j)
            scale = builder.fmul(row_scale, load(builder, channel_scales, offset, kind))
            before = builder.select(accumulate, load(builder, start, offset, kind), zero)
            value = builder.sitofp(builder.load(slot), kind)
            store(builder, fma(builder, value, scale, before), start, offset)
