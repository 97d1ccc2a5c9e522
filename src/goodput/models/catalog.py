"""From what a user writes (a name or a path) to a model's files."""

from __future__ import annotations

import difflib
from pathlib import Path

import msgspec

from goodput.core.errors import CheckpointError, ModelNotFoundError
from goodput.models import download
from goodput.models.cache import cache_home as cache_home
from goodput.models.cache import is_present, model_path
from goodput.models.catalog_entries import CATALOG, CatalogEntry
from goodput.models.checkpoint.open import refuse_pickle
from goodput.models.resume import Progress


class ModelStatus(msgspec.Struct, frozen=True):
    """One line of ``goodput models``. ``size`` in bytes; ``path`` only when present."""

    name: str
    about: str
    license: str
    size: int
    present: bool
    path: str | None


def list_models() -> list[ModelStatus]:
    """Every model known by name, in the catalog's order."""
    return [
        ModelStatus(
            name=entry.name,
            about=entry.about,
            license=entry.license,
            size=entry.file_bytes,
            present=is_present(entry),
            path=str(model_path(entry)) if is_present(entry) else None,
        )
        for entry in CATALOG.values()
    ]


def find(name: str) -> CatalogEntry:
    """The entry called ``name``; ModelNotFoundError with the nearest name otherwise."""
    entry = CATALOG.get(name)
    if entry is not None:
        return entry
    near = difflib.get_close_matches(name, CATALOG, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known names: {', '.join(CATALOG)}"
    raise ModelNotFoundError(f"there is no model called {name!r} and no such path; {hint}")


def resolve(
    name_or_path: str | Path, *, pull: bool = False, progress: Progress = download.no_progress
) -> Path:
    """The ``.gguf`` file or Hugging Face folder that ``name_or_path`` means.

    A catalog name must have been pulled, or is pulled now with ``pull=True``. Raises
    ModelNotFoundError (not known or not pulled), CheckpointError (a path that is no model),
    DownloadError.
    """
    entry = CATALOG.get(str(name_or_path))
    if entry is not None:
        if pull:
            return download.pull(entry, progress)
        if not is_present(entry):
            raise ModelNotFoundError(
                f"the model {entry.name} is not on this machine; run: goodput pull {entry.name}"
            )
        return model_path(entry)
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return _checked_folder(path)
    refuse_pickle(path)
    if path.is_file():
        if path.suffix.lower() != ".gguf":
            raise CheckpointError(f"{path} is not a .gguf file")
        return path
    if path.suffix.lower() == ".gguf" or len(path.parts) > 1:
        raise ModelNotFoundError(f"there is no model file or folder {path}")
    find(str(name_or_path))
    raise AssertionError("find() raises for a name outside the catalog")


def _checked_folder(folder: Path) -> Path:
    if not any(folder.glob("*.safetensors")):
        for file in sorted(folder.iterdir()):
            refuse_pickle(file)
        raise CheckpointError(f"{folder} holds no .safetensors file")
    for needed in ("config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise CheckpointError(f"{folder} has no {needed}")
    return folder
