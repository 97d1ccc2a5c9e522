"""The timed server as a process of its own, for the length of a block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from goodput.core.errors import GoodputError

_STOP_TIMEOUT_S = 5.0


@contextmanager
def timed_server() -> Iterator[str]:
    """Start it on a free port of this machine; yields its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "goodput.bench.selfcheck.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for whoever started it; it ends with its standard input.
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise GoodputError("the built-in server of the self-check did not start")
        yield f"http://127.0.0.1:{port.decode()}"
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
