"""Converted weights: made once per model and backend, kept in the cache, mapped by every worker.

The file is safetensors. All workers of a host map it and only read, so it is in memory
once.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file

from goodput.core.config import Backend
from goodput.core.errors import CheckpointError
from goodput.core.files import atomic_path
from goodput.models.cache import cache_home
from goodput.models.checkpoint import open_checkpoint
from goodput.models.checkpoint.base import Checkpoint
from goodput.models.config import ModelConfig

Array = npt.NDArray[np.generic]
Converter = Callable[[Checkpoint, Callable[[], None]], Iterator[tuple[str, Array]]]

_FORMAT = 5
"""Raised whenever a backend's layout changes, so that old files are converted anew."""

_DTYPES = {"F32": np.float32, "F16": np.float16, "I8": np.int8, "U8": np.uint8}


def _converter(backend: Backend) -> Converter:
    if backend == "cpu":
        from goodput.models.ops.cpu.convert import convert

        return convert
    from goodput.models.ops.torch.convert import convert as convert_for_torch

    return convert_for_torch


def prepare(
    model_path: Path, backend: Backend, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Return the converted file for this model, making it if need be (a few seconds).

    ``progress(done, total)`` counts layers. Atomic: concurrent calls may both convert, and each
    sees a whole file. Raises CheckpointError when the model cannot be read or the disk is full.
    """
    checkpoint = open_checkpoint(model_path)
    folder = cache_home() / "converted"
    target = folder / f"{checkpoint.fingerprint}-{backend}-v{_FORMAT}.safetensors"
    if target.exists():
        return target
    total, done = checkpoint.config.layers, 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    arrays = {name: np.ascontiguousarray(a) for name, a in _converter(backend)(checkpoint, step)}
    metadata = {"config": msgspec.json.encode(checkpoint.config).decode()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as partial:
            save_file(arrays, partial, metadata)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write the converted weights {target}: {error}") from None
    return target


def load(path: Path) -> tuple[ModelConfig, dict[str, Array]]:
    """Map a converted file: its config, and arrays that keep the mapping alive.

    Nobody writes to the arrays; a write would stay in this process and never reach the file.
    """
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    size = int.from_bytes(mapped[:8], "little")
    header = json.loads(mapped[8 : 8 + size])
    config = msgspec.json.decode(header.pop("__metadata__")["config"], type=ModelConfig)
    arrays: dict[str, Array] = {}
    for name, entry in header.items():
        shape, start = entry["shape"], 8 + size + entry["data_offsets"][0]
        flat = np.frombuffer(mapped, _DTYPES[entry["dtype"]], math.prod(shape), start)
        arrays[name] = flat.reshape(shape)
    return config, arrays
