"""One HTTP download that goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from goodput.models.package_index import NETWORK_ERRORS, PipSettings, open_url

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done, and bytes in total (0: unknown)."""

_CHUNK_BYTES = 1 << 18
_ATTEMPTS = 4


def download_resumable(
    settings: PipSettings, url: str, partial: Path, size: int, progress: Progress
) -> None:
    """Bring ``partial`` to ``size`` bytes; what it holds already is not fetched again.

    A broken connection is taken up again, up to 4 times without progress. Raises one of
    NETWORK_ERRORS; ``partial`` then keeps what came.
    """
    failures = 0
    while True:
        before = _size(partial)
        if before > size:
            partial.unlink()  # not the file that we know: start over
            before = 0
        if before == size:
            return
        problem = _continue_once(settings, url, partial, size, progress)
        if problem is None:
            return
        failures = 0 if _size(partial) > before else failures + 1
        if failures >= _ATTEMPTS:
            raise problem
        time.sleep(0.25 * 2**failures)


def _continue_once(
    settings: PipSettings, url: str, partial: Path, size: int, progress: Progress
) -> Exception | None:
    """One request. Returns the network's error; an error of the disk is raised."""
    have = _size(partial)
    # `identity`: a compressed answer would make byte ranges mean something else.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = open_url(settings, url, headers)
    except NETWORK_ERRORS as error:
        return error
    with response:
        resumed = response.status == 206 and str(
            response.headers.get("Content-Range", "")
        ).startswith(f"bytes {have}-")
        done = have if resumed else 0
        with partial.open("ab" if resumed else "wb") as sink:
            while done < size:
                try:
                    chunk = response.read(min(_CHUNK_BYTES, size - done))
                except NETWORK_ERRORS as error:
                    return error
                if not chunk:
                    return ConnectionError(f"the connection ended after {done} of {size} bytes")
                sink.write(chunk)
                done += len(chunk)
                progress("downloading", done, size)
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
