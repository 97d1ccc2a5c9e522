"""Few rows times a stored panel: widening and multiplying in one pass, nothing written between.

With few rows a step is bound by reading weights. Here a panel's bytes go from memory straight into
registers, so the reads overlap with the arithmetic; from some rows on, widening once into a buffer
(``projections.py``) is cheaper. Both give the same integers, hence the same bits.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from goodput.models.checkpoint.base import GROUP
from goodput.models.ops.cpu.gemm_tiles import add_products, broadcast_pair, scale_and_store
from goodput.models.ops.cpu.lowering import (
    I32,
    accumulators,
    i64,
    loop,
    vector,
)
from goodput.models.ops.cpu.widening import GROUP_BYTES, widened_vectors

_LANES = 8


def make_fused_tile(rows: int, kind: str) -> Any:
    """A Numba intrinsic like ``make_gemm_tile``'s, over a stored panel of ``groups`` groups.

    tile(a, lda, panel, groups, out, ldo, row_scales, channel_scales, accumulate).
    """

    @intrinsic
    def tile(
        typing_context: Any,
        a: Any,
        lda: Any,
        panel: Any,
        groups: Any,
        out: Any,
        ldo: Any,
        row_scales: Any,
        channel_scales: Any,
        accumulate: Any,
    ) -> Any:
        uint, size = types.uintp, types.intp
        signature = types.void(uint, size, uint, size, uint, size, uint, uint, types.boolean)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            a, lda, panel, groups, out, ldo, row_scales, channel_scales, accumulate = args
            starts = [builder.add(a, builder.mul(i64(2 * row), lda)) for row in range(rows)]
            sums = accumulators(builder, vector(I32, _LANES), rows, 2)
            with loop(builder, groups) as over:
                base = builder.add(panel, builder.mul(over.index, i64(GROUP_BYTES[kind])))
                inputs = builder.mul(over.index, i64(2 * GROUP))
                for pair, half, weights in widened_vectors(builder, kind, base):
                    where = builder.add(inputs, i64(4 * pair))
                    for row in range(rows):
                        activations = broadcast_pair(builder, starts[row], where, _LANES)
                        add_products(builder, sums[row][half], activations, weights, _LANES)
            scale_and_store(builder, sums, _LANES, out, ldo, row_scales, channel_scales, accumulate)
            return context.get_dummy_value()

        return signature, generate

    return tile
