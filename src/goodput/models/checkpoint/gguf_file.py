"""A GGUF file opened by the `gguf` library, made quick and safe for files from strangers.

The library's reader makes one NumPy object per element of an array, which costs seconds for a
vocabulary, and loops without end over an array that claims more elements than the file holds.
Only that one step is replaced here: an array stays packed until somebody asks for it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, GGUFValueType
from gguf.gguf_reader import ReaderTensor

from goodput.core.errors import CheckpointError

_U64 = struct.Struct("<Q")
_ARRAY_HEADER = struct.Struct("<IQ")


class _PackedArrayReader(GGUFReader):
    """GGUFReader whose array fields have one part: the bytes (strings) or the numbers."""

    def _get_field_parts(
        self, orig_offs: int, raw_type: int
    ) -> tuple[int, list[npt.NDArray[Any]], list[int], list[GGUFValueType]]:
        if GGUFValueType(raw_type) != GGUFValueType.ARRAY:
            return super()._get_field_parts(orig_offs, raw_type)
        element, count = _ARRAY_HEADER.unpack_from(memoryview(self.data.data), orig_offs)
        kind = GGUFValueType(element)
        start = orig_offs + _ARRAY_HEADER.size
        if kind == GGUFValueType.STRING:
            end = self._end_of_strings(start, count)
            part = self.data[start:end]
        else:
            dtype = np.dtype(self.gguf_scalar_to_np[kind])
            end = start + count * dtype.itemsize
            if end > len(self.data):
                raise ValueError(f"an array of {count} numbers reaches beyond the end of the file")
            part = self.data[start:end].view(dtype)
        return end - orig_offs, [part], [0], [GGUFValueType.ARRAY, kind]

    def _end_of_strings(self, start: int, count: int) -> int:
        # A memoryview: taking NumPy's buffer anew for each of 100,000 strings costs 80 ms.
        data, size, read, position = (
            memoryview(self.data.data),
            len(self.data),
            _U64.unpack_from,
            start,
        )
        if count > (size - start) // 8:
            raise ValueError(f"an array of {count} strings reaches beyond the end of the file")
        for _ in range(count):
            position += 8 + read(data, position)[0]
            if position > size:
                raise ValueError("a string reaches beyond the end of the file")
        return position


class GgufFile:
    """Metadata and tensors of one GGUF file; the file stays mapped while this object lives.

    Raises CheckpointError when the file is damaged, cut short, or not a GGUF file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with np.errstate(all="ignore"):
                self._reader = _PackedArrayReader(path)
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from None
        except Exception as error:  # a parser of foreign bytes: whatever it trips over is damage
            raise CheckpointError(
                f"{path} is damaged, cut short or not a GGUF file: {_reason(error)}"
            ) from None
        if self._reader.byte_order != "I":
            raise CheckpointError(f"{path} has the other byte order; convert it first")
        self.tensors: dict[str, ReaderTensor] = {t.name: t for t in self._reader.tensors}
        for name, tensor in self.tensors.items():
            if not tensor.shape.size or not tensor.shape.all():
                raise CheckpointError(f"{path} is damaged: the tensor {name} is empty")

    def scalar(self, key: str) -> Any:
        """The number, bool or string under ``key``; None when absent.

        Raises CheckpointError for an array or a damaged value.
        """
        field = self._reader.get_field(key)
        if field is None:
            return None
        if field.types[0] == GGUFValueType.ARRAY:
            raise CheckpointError(f"{self.path}: {key} is an array where one value is expected")
        try:
            return field.contents()
        except (UnicodeDecodeError, IndexError, ValueError):
            raise CheckpointError(f"{self.path}: the value of {key} is damaged") from None

    def numbers(self, key: str) -> npt.NDArray[Any] | None:
        """The number array under ``key`` (a view of the file), or None when absent."""
        packed = self._packed(key)
        if packed is None or packed[0] == GGUFValueType.STRING:
            return None
        return packed[1]

    def strings(self, key: str) -> list[str] | None:
        """The string array under ``key``, decoded now; None when absent.

        Raises CheckpointError when a string is not UTF-8.
        """
        packed = self._packed(key)
        if packed is None or packed[0] != GGUFValueType.STRING:
            return None
        data, read, position = packed[1].tobytes(), _U64.unpack_from, 0
        found: list[str] = []
        try:
            while position < len(data):
                start = position + 8
                position = start + read(data, position)[0]
                found.append(data[start:position].decode())
        except UnicodeDecodeError:
            raise CheckpointError(f"{self.path}: {key} holds a string that is not UTF-8") from None
        return found

    def _packed(self, key: str) -> tuple[GGUFValueType, npt.NDArray[Any]] | None:
        field = self._reader.get_field(key)
        if field is None or field.types[0] != GGUFValueType.ARRAY:
            return None
        return field.types[-1], field.parts[-1]


def _reason(error: Exception) -> str:
    if isinstance(error, (IndexError, struct.error)):
        return "it ends too early"
    text = str(error).strip().splitlines()
    return text[0].rstrip(".")[:200] if text else type(error).__name__
