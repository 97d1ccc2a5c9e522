"""A GGUF file as a Checkpoint: dequantized on request, in Hugging Face's names and layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind
from gguf import quants

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.base import FloatArray, FourBitWeights
from goodput.models.checkpoint.fingerprint import fingerprint_files
from goodput.models.checkpoint.gguf_config import read_gguf_config
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.checkpoint.gguf_four_bit import read_four_bit
from goodput.models.checkpoint.gguf_names import hugging_face_name
from goodput.models.checkpoint.validate import check_finite

Rows = TypeVar("Rows", npt.NDArray[np.uint8], npt.NDArray[np.float32])

SUPPORTED = (
    Kind.F32,
    Kind.F16,
    Kind.BF16,
    Kind.Q4_0,
    Kind.Q4_1,
    Kind.Q5_0,
    Kind.Q5_1,
    Kind.Q8_0,
    Kind.Q4_K,
    Kind.Q5_K,
    Kind.Q6_K,
)


class GgufCheckpoint:
    """Implements :class:`~goodput.models.checkpoint.base.Checkpoint` over one ``.gguf`` file.

    ``file`` also holds the tokenizer's metadata. Raises CheckpointError on construction when the
    file is damaged or its architecture is not supported.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = GgufFile(path)
        self.config = read_gguf_config(self.file)
        self._stored_names = {
            known: stored
            for stored in self.file.tensors
            if (known := hugging_face_name(stored, self.config.architecture)) is not None
        }

    @property
    def fingerprint(self) -> str:
        return fingerprint_files([self.path])

    def names(self) -> Iterator[str]:
        return iter(self._stored_names)

    def tensor(self, name: str) -> FloatArray:
        stored = self._stored_names.get(name)
        if stored is None:
            raise CheckpointError(f"{self.path}: the tensor {name} is missing")
        tensor = self.file.tensors[stored]
        if tensor.tensor_type not in SUPPORTED:
            raise CheckpointError(
                f"{self.path}: {stored} is of type {tensor.tensor_type.name}, which is not "
                f"supported; goodput reads {', '.join(kind.name for kind in SUPPORTED)}"
            )
        shape = tuple(int(size) for size in reversed(tensor.shape))
        with np.errstate(all="ignore"):  # damaged scales overflow; the check below says so
            values = np.array(quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        values = check_finite(values, self.path, stored).reshape(shape)
        return self._in_order(name, values)

    def four_bit(self, name: str) -> FourBitWeights | None:
        tensor = self.file.tensors[self._stored_names[name]]
        n, k = (int(size) for size in reversed(tensor.shape))
        stored = read_four_bit(tensor.data, tensor.tensor_type, n, k)
        if stored is None:
            return None
        return FourBitWeights(
            self._in_order(name, stored.levels),
            self._in_order(name, stored.scales),
            self._in_order(name, stored.offsets),
        )

    def _in_order(self, name: str, values: Rows) -> Rows:
        """Rows (output channels) as Hugging Face has them."""
        if self.config.architecture == "llama":
            if ".q_proj." in name:
                return self._halves_order(values, self.config.heads, name)
            if ".k_proj." in name:
                return self._halves_order(values, self.config.kv_heads, name)
        return values

    def _halves_order(self, values: Rows, heads: int, stored: str) -> Rows:
        """Undo GGUF's order of rotary pairs.

        Llama files keep the two numbers of a rotary pair next to each other; Hugging Face keeps
        first numbers in the first half of a head and second numbers in the other half.
        """
        rows, rest = values.shape[0], values.shape[1:]
        if rows != heads * self.config.head_dim:
            raise CheckpointError(
                f"{self.path}: {stored} has {rows} rows where "
                f"{heads} heads of {self.config.head_dim} are expected"
            )
        pairs = values.reshape(heads, self.config.head_dim // 2, 2, *rest)
        ordered: Rows = np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(values.shape)
        return ordered
