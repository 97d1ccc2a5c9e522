"""How the functions of this folder are compiled: once per machine, cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """``function`` in machine code. It keeps its type, so that callers stay checked."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
