"""The safetensors format, read with NumPy alone (bfloat16 included, torch not needed)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.base import FloatArray
from goodput.models.checkpoint.validate import check_finite

_MAX_HEADER_BYTES = 100_000_000
# bfloat16 is the upper half of a float32: read as bits, widened when asked for.
_DTYPES: dict[str, Any] = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class _Entry(msgspec.Struct, frozen=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


class SafetensorsFile:
    """One ``.safetensors`` file, mapped while this object lives.

    Raises CheckpointError when the header is damaged or points outside the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from None
        except ValueError:  # NumPy refuses to map an empty file
            raise CheckpointError(f"{path} is empty") from None
        header_bytes = int.from_bytes(self._bytes[:8].tobytes(), "little")
        self._start = 8 + header_bytes
        if header_bytes > _MAX_HEADER_BYTES or self._start > len(self._bytes):
            raise CheckpointError(f"{path} is cut short or not a safetensors file")
        try:
            header = msgspec.json.decode(
                self._bytes[8 : self._start].tobytes(), type=dict[str, msgspec.Raw]
            )
            header.pop("__metadata__", None)
            self.entries = {
                name: msgspec.json.decode(raw, type=_Entry) for name, raw in header.items()
            }
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path} has a damaged header: {error}") from None
        for name, entry in self.entries.items():
            self._check(name, entry)

    def _check(self, name: str, entry: _Entry) -> None:
        start, end = entry.data_offsets
        if not 0 <= start <= end <= len(self._bytes) - self._start:
            raise CheckpointError(f"{self.path} is cut short: {name} lies beyond its end")
        dtype = _DTYPES.get(entry.dtype)
        if dtype is None:
            return  # a type that nobody may ever ask for; tensor() refuses it by name
        if any(size < 0 for size in entry.shape) or (
            math.prod(entry.shape) * np.dtype(dtype).itemsize != end - start
        ):
            raise CheckpointError(f"{self.path}: {name} does not fill its shape {entry.shape}")

    def tensor(self, name: str) -> FloatArray:
        """A fresh float32 array; CheckpointError when missing or of a type not supported."""
        entry = self.entries.get(name)
        if entry is None:
            raise CheckpointError(f"{self.path}: the tensor {name} is missing")
        dtype = _DTYPES.get(entry.dtype)
        if dtype is None:
            raise CheckpointError(
                f"{self.path}: {name} is of type {entry.dtype}, which is not supported; "
                f"goodput reads {', '.join(_DTYPES)}"
            )
        start, end = (self._start + offset for offset in entry.data_offsets)
        # Offsets need not be aligned: copy the bytes first, view them as numbers after.
        stored = np.frombuffer(self._bytes[start:end].tobytes(), dtype=dtype)
        if entry.dtype == "BF16":
            values = (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
        else:
            values = stored.astype(np.float32)  # a copy, so that the caller may write to it
        return check_finite(values, self.path, name).reshape(entry.shape)
