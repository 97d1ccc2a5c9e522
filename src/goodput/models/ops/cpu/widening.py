"""Grouped weights, widened panel by panel just before they are multiplied.

Weights are stored as levels with a scale (and an offset) per group of 32 inputs of a channel.
``packing.py`` expresses scales and offsets as integers, so that a panel of 16 channels becomes
11-bit integers with one float scale per channel:

    four bits:   weight = (level * scale + offset) >> 5,  level 0..15
    eight bits:  weight = (level * scale + 64) >> 7,      level -127..127

That takes a few instructions per 16 weights, once for all rows of a step, while memory is read at 5
or 8.5 bits a weight. Rounding to 11 bits loses an eighth of what 8 bits per channel lose.

A widened panel is int16 [k / 2, 16, 2]. Half ``h`` (8 channels) of pair ``p`` is one vector of 16
lanes, lane ``2 * channel + parity`` being input ``2 * p + parity``. Per group, a stored panel has
- four bits: 2 halves of 4 vectors whose lanes hold pairs ``4 * q + i`` in nibble i; then 16 scales
  and 16 offsets (int16);
- eight bits: 16 pairs of 2 halves of 16 int8 lanes; then 16 scales (int16).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from goodput.models.checkpoint.base import GROUP
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.lowering import (
    I8,
    I16,
    I32,
    address,
    constant,
    i64,
    intrinsic_call,
    is_x86,
    load,
    loop,
    store,
    vector,
)

FOUR_BIT_LEVEL_BYTES = PANEL * GROUP // 2
FOUR_BIT_GROUP_BYTES = FOUR_BIT_LEVEL_BYTES + 2 * 2 * PANEL
EIGHT_BIT_LEVEL_BYTES = PANEL * GROUP
EIGHT_BIT_GROUP_BYTES = EIGHT_BIT_LEVEL_BYTES + 2 * PANEL
"""Bytes of one group of a stored panel."""

FOUR_BIT_SHIFT, EIGHT_BIT_SHIFT = 5, 7

_CACHE_LINE = 64
_LANES = 16
_VECTOR = vector(I16, _LANES)


FOUR_BIT, EIGHT_BIT = "four_bit", "eight_bit"
GROUP_BYTES = {FOUR_BIT: FOUR_BIT_GROUP_BYTES, EIGHT_BIT: EIGHT_BIT_GROUP_BYTES}


def widened_vectors(builder: Any, kind: str, base: Any) -> Iterator[tuple[int, int, Any]]:
    """Emit the widening of the group stored at ``base``: yields (pair, half, 16 int16 lanes)."""
    return (_four_bit_vectors if kind == FOUR_BIT else _eight_bit_vectors)(builder, base)


def _four_bit_vectors(builder: Any, base: Any) -> Iterator[tuple[int, int, Any]]:
    factors = [
        [
            _both_parities(builder, base, FOUR_BIT_LEVEL_BYTES + offset + 16 * half)
            for offset in (0, 2 * PANEL)
        ]
        for half in range(2)
    ]
    for q in range(4):
        packed = [load(builder, base, i64(128 * half + 32 * q), _VECTOR) for half in range(2)]
        for i in range(4):
            for half, (scales, offsets) in enumerate(factors):
                level = builder.lshr(packed[half], constant(I16, _LANES, 4 * i))
                if i < 3:
                    level = builder.and_(level, constant(I16, _LANES, 15))
                value = builder.add(builder.mul(level, scales), offsets)
                yield 4 * q + i, half, builder.ashr(value, constant(I16, _LANES, FOUR_BIT_SHIFT))


def _eight_bit_vectors(builder: Any, base: Any) -> Iterator[tuple[int, int, Any]]:
    factors = [
        _both_parities(builder, base, EIGHT_BIT_LEVEL_BYTES + 16 * half) for half in range(2)
    ]
    for pair in range(GROUP // 2):
        for half, scales in enumerate(factors):
            stored = load(builder, base, i64(32 * pair + 16 * half), vector(I8, _LANES))
            level = builder.shl(builder.sext(stored, _VECTOR), constant(I16, _LANES, 8))
            yield pair, half, _rounded_high_product(builder, level, scales)


def make_widen(kind: str) -> Any:
    """widen(packed, groups, out): a Numba intrinsic that writes a panel of ``groups`` groups."""

    @intrinsic
    def widen(typing_context: Any, packed: Any, groups: Any, out: Any) -> Any:
        signature = types.void(types.uintp, types.intp, types.uintp)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            packed, groups, out = args
            with loop(builder, groups) as over:
                base = builder.add(packed, builder.mul(over.index, i64(GROUP_BYTES[kind])))
                target = builder.add(out, builder.mul(over.index, i64(GROUP * PANEL * 2)))
                for pair, half, value in widened_vectors(builder, kind, base):
                    store(builder, value, target, i64(64 * pair + 32 * half))
            return context.get_dummy_value()

        return signature, generate

    return widen


@intrinsic
def prefetch(typing_context: Any, where: Any, size: Any) -> Any:
    """prefetch(where, size): ask for ``size`` bytes to be brought near, without waiting."""
    signature = types.void(types.uintp, types.intp)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        where, size = args
        with loop(builder, builder.sdiv(size, i64(_CACHE_LINE))) as over:
            line = address(builder, where, builder.mul(over.index, i64(_CACHE_LINE)))
            read, near, data = (ir.Constant(I32, number) for number in (0, 2, 1))
            intrinsic_call(builder, "llvm.prefetch.p0", ir.VoidType(), [line, read, near, data])
        return context.get_dummy_value()

    return signature, generate


def _rounded_high_product(builder: Any, a: Any, b: Any) -> Any:
    """(a * b + 2^14) >> 15 of int16 lanes: one instruction on x86."""
    if is_x86():
        return intrinsic_call(builder, "llvm.x86.avx2.pmul.hr.sw", _VECTOR, [a, b])
    wide = vector(I32, _LANES)
    product = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
    rounded = builder.add(product, constant(I32, _LANES, 1 << 14))
    return builder.trunc(builder.ashr(rounded, constant(I32, _LANES, 15)), _VECTOR)


def _both_parities(builder: Any, base: Any, offset: int) -> Any:
    """8 int16 values, each in two neighbouring lanes."""
    eight = builder.zext(load(builder, base, i64(offset), vector(I16, 8)), vector(I32, 8))
    doubled = builder.or_(eight, builder.shl(eight, constant(I32, 8, 16)))
    return builder.bitcast(doubled, _VECTOR)
