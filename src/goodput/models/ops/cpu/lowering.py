"""Small vocabulary for kernels written as LLVM instructions inside Numba functions.

Addresses are plain integers (bytes); vectors are loaded and stored unaligned. Nothing checks
bounds here: the callers in ``kernels.py`` own the arrays and their sizes.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit
from numba.core import cgutils

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
F16, F32 = ir.HalfType(), ir.FloatType()

CACHE_LINE = 64
"""Bytes."""

FLOAT_LANES = 8
"""Width of all float kernels. Fixed, so that the order of sums is the same on every machine."""


compiled = njit(nogil=True, cache=True, boundscheck=False)
"""How every function around the tiles is compiled: once per machine, cached on disk."""


def is_x86() -> bool:
    """Whether x86's own instructions may be named; elsewhere LLVM finds what there is."""
    return str(llvm.get_default_triple()).startswith("x86_64")


def vector(element: Any, lanes: int) -> Any:
    return ir.VectorType(element, lanes)


def i64(value: int) -> Any:
    return ir.Constant(I64, value)


def constant(element: Any, lanes: int, value: float) -> Any:
    """A vector with every lane equal to ``value``."""
    return ir.Constant(vector(element, lanes), [value] * lanes)


def address(builder: Any, base: Any, offset: Any) -> Any:
    """Pointer to ``base + offset`` bytes; both are 64-bit integers."""
    return builder.inttoptr(builder.add(base, offset), ir.PointerType())


def load(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    return builder.load(address(builder, base, offset), typ=kind, align=1)


def store(builder: Any, value: Any, base: Any, offset: Any) -> None:
    builder.store(value, address(builder, base, offset), align=1)


def splat(builder: Any, scalar: Any, lanes: int) -> Any:
    """Copy a scalar into every lane."""
    kind = vector(scalar.type, lanes)
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(vector(I32, lanes), [0] * lanes))


def intrinsic_call(builder: Any, name: str, returns: Any, args: list[Any]) -> Any:
    """Call an LLVM intrinsic by its full name."""
    kind = ir.FunctionType(returns, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def prefetch(builder: Any, base: Any, offset: Any) -> None:
    """Ask for the cache line at ``base + offset`` bytes; no address is wrong."""
    read, near, data = (ir.Constant(I32, number) for number in (0, 3, 1))
    where = address(builder, base, offset)
    intrinsic_call(builder, "llvm.prefetch.p0", ir.VoidType(), [where, read, near, data])


def fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c with one rounding: explicit, so that no path contracts differently."""
    return intrinsic_call(builder, f"llvm.fma.v{a.type.count}f32", a.type, [a, b, c])


def accumulators(builder: Any, kind: Any, rows: int, columns: int) -> list[list[Any]]:
    """A grid of zeroed stack slots; LLVM keeps them in registers."""
    zero = ir.Constant(kind, [0] * kind.count)
    grid = [[cgutils.alloca_once(builder, kind) for _ in range(columns)] for _ in range(rows)]
    for row in grid:
        for slot in row:
            builder.store(zero, slot)
    return grid


def loop(builder: Any, count: Any) -> Any:
    """``for index in range(count)`` as a context manager whose value has ``.index``."""
    return cgutils.for_range(builder, count)
