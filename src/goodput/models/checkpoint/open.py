"""The right reader for a path."""

from __future__ import annotations

from pathlib import Path

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.base import Checkpoint
from goodput.models.checkpoint.gguf_checkpoint import GgufCheckpoint
from goodput.models.checkpoint.hf_folder import HuggingFaceFolder

# Files of these kinds hold pickles: loading one runs whatever its author wrote into it.
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def refuse_pickle(path: Path) -> None:
    """Raise CheckpointError when ``path`` is named like a pickle."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise CheckpointError(
            f"{path} may hold a pickle, which can run code: goodput loads only .gguf files and "
            "folders with .safetensors"
        )


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a ``.gguf`` file or a Hugging Face folder; weights are read only when asked for.

    Raises CheckpointError when it is damaged, of an unsupported kind, or not a model.
    """
    refuse_pickle(path)
    if path.is_dir():
        return HuggingFaceFolder(path)
    if path.suffix.lower() == ".gguf":
        return GgufCheckpoint(path)
    raise CheckpointError(f"{path} is neither a .gguf file nor a folder with .safetensors")
