"""A program that answers JSON lines: each peer lives in a process, maybe of another environment."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

Answer = dict[str, Any]


class LineProcess:
    """Owns the process from here to :meth:`close`; ``greeting`` is the first line that it says.

    ``cores`` are the only ones it may use (None: ours). Raises RuntimeError with the end of its log
    when it ends before it has answered.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cores: Sequence[int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = os.path.basename(command[1])  # noqa: PTH119 - the script's name
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close()
        with _only(cores):
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self._process.pid
        try:
            self.greeting = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """Send one line and wait for the answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return self._answer()

    def close(self) -> None:
        """End its input, which it takes as the order to leave; kill it when it does not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def _answer(self) -> Answer:
        """The next line that is an answer: some libraries print to stdout now and then."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: Answer = json.loads(line)
                return found
        raise self._ended()

    def _ended(self) -> RuntimeError:
        status = self._process.wait()
        self._log.seek(0)
        return RuntimeError(f"{self._name} ended with {status}: {self._log.read()[-2000:]}")


@contextmanager
def _only(cores: Sequence[int] | None) -> Iterator[None]:
    """A process started in this block inherits ``cores``."""
    if cores is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
