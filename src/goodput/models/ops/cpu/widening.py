"""Grouped weights, widened panel by panel just before they are multiplied.

Weights are stored as levels with a scale (and an offset) per group of 32 inputs of a channel.
``packing.py`` expresses scales and offsets as integers, so that a panel of 16 channels becomes
11-bit integers with one float scale per channel:

    four bits:   weight = round(level * scale / 8) + offset,   level -8..7
    eight bits:  weight = round(level * scale / 128),          level -127..127

That takes a few instructions per 16 weights, once for all rows of a step, while memory is read at 5
or 8.5 bits a weight. Rounding to 11 bits loses an eighth of what 8 bits per channel lose.

A widened panel is int16 [k / 2, 16, 2]. Half ``h`` (8 channels) of pair ``p`` is one vector of 16
lanes, lane ``2 * channel + parity`` being input ``2 * p + parity``. Per group, a stored panel has
- four bits: 16 scales and 16 offsets (int16), then 4 times 2 halves of 16 lanes that hold pairs
  ``4 * q + i`` in nibble i, in two's complement: at the top of its lane it is a signed number;
- eight bits: 16 scales (int16), then 16 pairs of 2 halves of 16 int8 lanes.
A panel is read strictly from its first byte to its last, as hardware prefetchers like it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numba import types
from numba.extending import intrinsic

from goodput.models.checkpoint.base import GROUP
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.lowering import (
    CACHE_LINE,
    I8,
    I16,
    I32,
    constant,
    i64,
    intrinsic_call,
    is_x86,
    load,
    loop,
    prefetch,
    store,
    vector,
)

FOUR_BIT_LEVEL_BYTES = PANEL * GROUP // 2
FOUR_BIT_GROUP_BYTES = FOUR_BIT_LEVEL_BYTES + 2 * 2 * PANEL
EIGHT_BIT_LEVEL_BYTES = PANEL * GROUP
EIGHT_BIT_GROUP_BYTES = EIGHT_BIT_LEVEL_BYTES + 2 * PANEL
"""Bytes of one group of a stored panel."""

FOUR_BIT_SHIFT, EIGHT_BIT_SHIFT = 3, 7

_PREFETCH_BYTES = 2048
"""How far ahead of its use memory is asked for: about as long as it takes to come."""

_LANES = 16
_VECTOR = vector(I16, _LANES)


FOUR_BIT, EIGHT_BIT = "four_bit", "eight_bit"
GROUP_BYTES = {FOUR_BIT: FOUR_BIT_GROUP_BYTES, EIGHT_BIT: EIGHT_BIT_GROUP_BYTES}


def widened_vectors(builder: Any, kind: str, base: Any) -> Iterator[tuple[int, int, Any]]:
    """Emit the widening of the group stored at ``base``: yields (pair, half, 16 int16 lanes).

    Also asks for the group that comes ``_PREFETCH_BYTES`` later, in this panel or the next.
    """
    for line in range(0, GROUP_BYTES[kind], CACHE_LINE):
        prefetch(builder, base, i64(_PREFETCH_BYTES + line))
    return (_four_bit_vectors if kind == FOUR_BIT else _eight_bit_vectors)(builder, base)


def _four_bit_vectors(builder: Any, base: Any) -> Iterator[tuple[int, int, Any]]:
    factors = [
        [_both_parities(builder, base, offset + 16 * half) for offset in (0, 2 * PANEL)]
        for half in range(2)
    ]
    top = constant(I16, _LANES, -(1 << 12))
    for q in range(4):
        packed = [
            load(builder, base, i64(4 * PANEL + 64 * q + 32 * half), _VECTOR) for half in range(2)
        ]
        for i in range(4):
            for half, (scales, offsets) in enumerate(factors):
                level = builder.shl(packed[half], constant(I16, _LANES, 12 - 4 * i))
                if i > 0:
                    level = builder.and_(level, top)
                scaled = _rounded_high_product(builder, level, scales)
                yield 4 * q + i, half, builder.add(scaled, offsets)


def _eight_bit_vectors(builder: Any, base: Any) -> Iterator[tuple[int, int, Any]]:
    factors = [_both_parities(builder, base, 16 * half) for half in range(2)]
    for pair in range(GROUP // 2):
        for half, scales in enumerate(factors):
            where = i64(2 * PANEL + 32 * pair + 16 * half)
            stored = load(builder, base, where, vector(I8, _LANES))
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
