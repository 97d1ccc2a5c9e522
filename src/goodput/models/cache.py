"""Where pulled models live, and the lock that makes pulls safe beside each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from goodput.models.catalog_entries import CatalogEntry


def cache_home() -> Path:
    """``$GOODPUT_HOME``, else ``~/.cache/goodput``. The folder need not exist yet."""
    home = os.environ.get("GOODPUT_HOME")
    return Path(home).expanduser() if home else Path.home() / ".cache" / "goodput"


def model_path(entry: CatalogEntry) -> Path:
    """Where the model's file is, or will be after a pull."""
    return cache_home() / "models" / entry.folder_name / entry.file_name


def is_present(entry: CatalogEntry) -> bool:
    """Whether the file is there. It is moved into place only after its checksum was right."""
    path = model_path(entry)
    return path.is_file() and path.stat().st_size == entry.file_bytes


@contextmanager
def exclusive(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file ``path``; calls ``on_wait`` once when another process holds it.

    The kernel lets go of the lock when its holder dies, so a crash leaves nothing to clean up.
    """
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
