"""Work on single rows between the products: norm, activation, quantization.

Each is one pass over a row with a fixed order of sums, so a row's result depends on nothing else.
Lengths are multiples of 8; addresses are bytes of float32 data unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from goodput.models.ops.cpu.lowering import (
    F32,
    FLOAT_LANES,
    I16,
    I32,
    constant,
    fma,
    i64,
    intrinsic_call,
    load,
    loop,
    splat,
    store,
    vector,
)

WIDE = vector(F32, FLOAT_LANES)


def exponential(builder: Any, x: Any) -> Any:
    """exp of a float32 vector with x <= 0; relative error near 2e-7, exact order of operations.

    Cody and Waite's reduction x = n ln2 + r, then a polynomial of degree 6 in r.
    """
    lanes = x.type.count

    def const(value: float) -> Any:
        return constant(F32, lanes, value)

    x = intrinsic_call(builder, f"llvm.maxnum.v{lanes}f32", x.type, [x, const(-87.0)])
    scaled = builder.fmul(x, const(1.4426950408889634))
    n = intrinsic_call(builder, f"llvm.nearbyint.v{lanes}f32", x.type, [scaled])
    r = fma(builder, n, const(-0.693359375), x)
    r = fma(builder, n, const(2.12194440e-4), r)
    result = const(1.0 / 720.0)
    for coefficient in (1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0):
        result = fma(builder, result, r, const(coefficient))
    exponent = builder.add(builder.fptosi(n, vector(I32, lanes)), constant(I32, lanes, 127))
    power = builder.bitcast(builder.shl(exponent, constant(I32, lanes, 23)), x.type)
    return builder.fmul(result, power)


def ordered_sum(builder: Any, lanes: Any) -> Any:
    """Sum of a vector's lanes, in lane order: the same result on every machine."""
    total = ir.Constant(F32, 0.0)
    for lane in range(lanes.type.count):
        total = builder.fadd(total, builder.extract_element(lanes, ir.Constant(I32, lane)))
    return total


def _steps(builder: Any, length: Any) -> Any:
    return builder.sdiv(length, i64(FLOAT_LANES))


def _track_peak(builder: Any, peaks: Any, value: Any) -> None:
    """peaks = max(peaks, |value|), lane by lane."""
    size = intrinsic_call(builder, "llvm.fabs.v8f32", WIDE, [value])
    larger = intrinsic_call(builder, "llvm.maxnum.v8f32", WIDE, [builder.load(peaks), size])
    builder.store(larger, peaks)


def _peak(builder: Any, peaks: Any) -> Any:
    return intrinsic_call(builder, "llvm.vector.reduce.fmax.v8f32", F32, [builder.load(peaks)])


def _make_rms_norm_row(*, add: bool) -> Any:
    @intrinsic
    def norm(typing_context: Any, x: Any, weight: Any, length: Any, epsilon: Any, out: Any) -> Any:
        uint = types.uintp
        signature = types.float32(uint, uint, types.intp, types.float32, uint)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            x, weight, length, epsilon, out = args
            zero = constant(F32, FLOAT_LANES, 0.0)
            squares = cgutils.alloca_once_value(builder, zero)
            peaks = cgutils.alloca_once_value(builder, zero)
            with loop(builder, _steps(builder, length)) as over:
                value = load(builder, x, builder.mul(over.index, i64(4 * FLOAT_LANES)), WIDE)
                builder.store(fma(builder, value, value, builder.load(squares)), squares)
            total = ordered_sum(builder, builder.load(squares))
            mean = builder.fdiv(total, builder.sitofp(length, F32))
            root = intrinsic_call(builder, "llvm.sqrt.f32", F32, [builder.fadd(mean, epsilon)])
            factor = splat(builder, builder.fdiv(ir.Constant(F32, 1.0), root), FLOAT_LANES)
            with loop(builder, _steps(builder, length)) as over:
                offset = builder.mul(over.index, i64(4 * FLOAT_LANES))
                value = builder.fmul(load(builder, x, offset, WIDE), factor)
                value = builder.fmul(value, load(builder, weight, offset, WIDE))
                if add:
                    value = builder.fadd(value, load(builder, out, offset, WIDE))
                store(builder, value, out, offset)
                _track_peak(builder, peaks, value)
            return _peak(builder, peaks)

        return signature, generate

    return norm


rms_norm_row = _make_rms_norm_row(add=False)
"""rms_norm_row(x, weight, length, epsilon, out): out = x / sqrt(mean(x^2) + epsilon) * weight.

Returns max |out|. ``out`` may be ``x``.
"""

add_rms_norm_row = _make_rms_norm_row(add=True)
"""The same, added to ``out``."""


@intrinsic
def peak_row(typing_context: Any, x: Any, length: Any) -> Any:
    """max |x|."""
    signature = types.float32(types.uintp, types.intp)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        x, length = args
        peaks = cgutils.alloca_once_value(builder, constant(F32, FLOAT_LANES, 0.0))
        with loop(builder, _steps(builder, length)) as over:
            offset = builder.mul(over.index, i64(4 * FLOAT_LANES))
            _track_peak(builder, peaks, load(builder, x, offset, WIDE))
        return _peak(builder, peaks)

    return signature, generate


def _make_gated_row(steepness: Callable[[Any, Any], Any]) -> Any:
    """A Numba intrinsic for x * sigmoid(steepness(x)) * up."""

    @intrinsic
    def gated(typing_context: Any, gate: Any, up: Any, length: Any, out: Any) -> Any:
        uint = types.uintp
        signature = types.float32(uint, uint, types.intp, uint)

        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            gate, up, length, out = args
            zero, one = constant(F32, FLOAT_LANES, 0.0), constant(F32, FLOAT_LANES, 1.0)
            peaks = cgutils.alloca_once_value(builder, zero)
            with loop(builder, _steps(builder, length)) as over:
                offset = builder.mul(over.index, i64(4 * FLOAT_LANES))
                x = load(builder, gate, offset, WIDE)
                size = intrinsic_call(builder, "llvm.fabs.v8f32", WIDE, [steepness(builder, x)])
                small = exponential(builder, builder.fneg(size))
                numerator = builder.select(builder.fcmp_ordered(">=", x, zero), one, small)
                sigmoid = builder.fdiv(numerator, builder.fadd(one, small))
                value = builder.fmul(builder.fmul(x, sigmoid), load(builder, up, offset, WIDE))
                store(builder, value, out, offset)
                _track_peak(builder, peaks, value)
            return _peak(builder, peaks)

        return signature, generate

    return gated


def _gelu_steepness(builder: Any, x: Any) -> Any:
    """2 sqrt(2 / pi) (x + 0.044715 x^3): with it, x * sigmoid is GELU's tanh form exactly."""
    linear = 2 * math.sqrt(2 / math.pi)
    square = builder.fmul(x, x)
    cubic = constant(F32, FLOAT_LANES, 0.044715 * linear)
    factor = fma(builder, square, cubic, constant(F32, FLOAT_LANES, linear))
    return builder.fmul(x, factor)


silu_gated_row = _make_gated_row(lambda builder, x: x)
"""silu_gated_row(gate, up, length, out): out = silu(gate) * up; returns max |out|."""

gelu_gated_row = _make_gated_row(_gelu_steepness)
"""The same with gelu_tanh(gate)."""


@intrinsic
def quantize_row(typing_context: Any, x: Any, length: Any, factor: Any, out: Any) -> Any:
    """int16 out = round(x * factor), ties to even. The caller's factor keeps it in range."""
    signature = types.void(types.uintp, types.intp, types.float32, types.uintp)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        x, length, factor, out = args
        factors = splat(builder, factor, FLOAT_LANES)
        with loop(builder, _steps(builder, length)) as over:
            offset = builder.mul(over.index, i64(4 * FLOAT_LANES))
            value = builder.fmul(load(builder, x, offset, WIDE), factors)
            value = intrinsic_call(builder, "llvm.nearbyint.v8f32", WIDE, [value])
            whole = builder.fptosi(value, vector(I32, FLOAT_LANES))
            narrow = builder.trunc(whole, vector(I16, FLOAT_LANES))
            store(builder, narrow, out, builder.mul(over.index, i64(2 * FLOAT_LANES)))
        return context.get_dummy_value()

    return signature, generate
