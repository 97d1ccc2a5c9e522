"""Typed reads of one architecture's keys in a GGUF file."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile


class Metadata:
    """Reads ``{architecture}.{key}``; raises CheckpointError naming a key of the wrong type."""

    def __init__(self, file: GgufFile, architecture: str) -> None:
        self._file = file
        self._prefix = architecture

    def value(self, key: str) -> Any:
        return self._file.scalar(f"{self._prefix}.{key}")

    def number(self, key: str, default: float) -> float:
        value = self.value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise CheckpointError(f"{self._file.path}: {self._prefix}.{key} is not a number")
        # GGUF stores float32; its shortest decimal is what the author wrote (1e-5, not 9.99e-6).
        return value if isinstance(value, int) else float(str(np.float32(value)))

    def integer(self, key: str, default: int | None = None) -> int:
        value = self.value(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise CheckpointError(
                f"{self._file.path}: the metadata lacks the whole number {self._prefix}.{key}"
            )
        return value
