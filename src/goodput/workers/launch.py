"""Starting one worker process and knowing how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from typing import Final

from goodput.workers.host_channel import HostChannel
from goodput.workers.messages import Configure, FromWorker, ToWorker, WorkerConfig

_THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_LAST_WORDS_LIMIT: Final = 4096


class WorkerProcess:
    """A running worker: its channel, its standard error, its exit.

    Owned by whoever called :meth:`start`, who must await :meth:`ended` (after :meth:`kill` or
    :meth:`close`), so that no zombie and no open file stays.
    """

    def __init__(self, process: asyncio.subprocess.Process, channel: HostChannel) -> None:
        self.pid = process.pid
        self._process = process
        self._channel = channel
        self._last_words = b""
        self.complaint: str | None = None
        self._pump = asyncio.create_task(self._read_stderr())

    @classmethod
    async def start(
        cls,
        *,
        pool_fd: int,
        threads: int,
        configure: Callable[[], WorkerConfig],
        on_message: Callable[[FromWorker], None],
    ) -> WorkerProcess:
        """Spawn the program and send it its configuration.

        ``configure`` is called when the process exists; nothing is awaited from there to the
        return, so what the caller's tables say in it still holds when the caller goes on.
        """
        ours, theirs = socket.socketpair()
        environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "goodput.workers.main", str(theirs.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    pass_fds=(theirs.fileno(), pool_fd),
                    env=environment,
                    # Ctrl-C in the terminal is for the host alone, also while a worker starts.
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        worker: WorkerProcess | None = None

        def on_bad(reason: str) -> None:
            if worker is not None:
                worker.complaint = f"it sent a malformed message ({reason})"
                worker.kill()

        channel = HostChannel(on_message, on_bad)
        await asyncio.get_running_loop().create_connection(lambda: channel, sock=ours)
        worker = cls(process, channel)
        channel.send(Configure(configure()))
        return worker

    def send(self, message: ToWorker) -> None:
        """Queue a message; dropped once the worker is gone."""
        self._channel.send(message)

    def kill(self) -> None:
        """SIGKILL: works on a frozen worker too. Idempotent."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> int:
        """Wait for the process to be gone; its exit status (negative: the signal)."""
        status = await self._process.wait()
        self._channel.close()
        # Its last words are in the pipe; a stray grandchild must not keep us reading.
        await asyncio.wait([self._pump], timeout=1.0)
        if not self._pump.done():
            self._pump.cancel()
            await asyncio.wait([self._pump])
        return status

    @property
    def last_line(self) -> str:
        """The last line of its standard error that says something."""
        lines = self._last_words.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(1 << 14):
            self._last_words = (self._last_words + data)[-_LAST_WORDS_LIMIT:]
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(data.decode(errors="replace"))
                sys.stderr.flush()
