"""The server under test: started, killed, started again on the same port, asked for news."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import psutil

_READY_S: Final = 120.0
_WHOLE_S: Final = 40.0
_EXIT_S: Final = 40.0
_MIGRATIONS: Final = re.compile(r"^goodput_migrations_total (\S+)$", re.MULTILINE)


class Host:
    """``life`` counts restarts; a request that saw it change, or not ``up``, may be asked again."""

    def __init__(self, deployment: str, folder: Path, delay_s: float) -> None:
        self._file = folder / "deployment.yaml"
        self._file.write_text(deployment)
        self.log_file = folder / "server.log"
        self.log_file.unlink(missing_ok=True)
        self._faults = {"*": {"how": "delay", "seconds": delay_s, "always": True}}
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None
        self.life = 0
        self.up = asyncio.Event()
        self.left_processes = 0
        self.bad_exits: list[str] = []
        self._migrations_before = 0
        self._migrations_now = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    @property
    def migrations(self) -> int:
        """Of all lives, as far as they were read: a killed server takes its last second along."""
        return self._migrations_before + self._migrations_now

    async def start(self) -> None:
        """Returns when all workers are ready."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector)
        self._process = self._spawn()
        async with asyncio.timeout(_READY_S):
            while not self.is_whole(await self.health()):
                if self._process.poll() is not None:
                    raise RuntimeError(f"the server does not start: {self.log_file.read_text()}")
                await asyncio.sleep(0.1)
        self.up.set()

    async def end(self, how: signal.Signals) -> None:
        """Signal the server and wait until it and its workers are gone."""
        assert self._process is not None
        await self.read_migrations()
        self.life += 1
        self.up.clear()
        workers = self.workers()
        self._process.send_signal(how)
        code = await asyncio.to_thread(self._process.wait, _EXIT_S)
        if code != (0 if how is signal.SIGTERM else -how):
            self.bad_exits.append(f"exit code {code} after {how.name}")
        _, left = await asyncio.to_thread(psutil.wait_procs, workers, 5.0)
        self.left_processes += len(left)
        self._migrations_before += self._migrations_now
        self._migrations_now = 0

    async def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._session is not None:
            await self._session.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, str(Path(__file__).with_name("server.py"))),
                    *(str(self._file), str(self._port), orjson.dumps(self._faults).decode()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def workers(self) -> list[psutil.Process]:
        """The worker processes that live now."""
        assert self._process is not None
        try:
            return [
                child
                for child in psutil.Process(self._process.pid).children()
                if "goodput.workers.main" in child.cmdline()
            ]
        except psutil.Error:
            return []

    async def health(self) -> dict[str, Any] | None:
        """What /health says; None when nobody answers."""
        try:
            async with self.session.get(f"{self.url}/health") as response:
                state: dict[str, Any] = orjson.loads(await response.read())
                return state
        except aiohttp.ClientError:
            return None

    @staticmethod
    def is_whole(state: dict[str, Any] | None) -> bool:
        """Whether all workers are ready, idle, and have all their blocks."""
        return (
            state is not None
            and state["status"] == "ready"
            and not state["sequences_in_flight"]
            and all(
                worker["state"] == "ready" and worker["gauges"]["kv_blocks"] > 0
                for worker in state["workers"]
            )
            and not missing_blocks(state)
        )

    async def wait_whole(self) -> dict[str, Any] | None:
        """The state at rest, or the last one seen when the server does not come to rest."""
        state = await self.health()
        deadline = asyncio.get_running_loop().time() + _WHOLE_S
        while not self.is_whole(state) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.1)
            state = await self.health()
        return state

    async def read_migrations(self) -> None:
        """Take in the server's counter."""
        try:
            async with self.session.get(f"{self.url}/metrics") as response:
                found = _MIGRATIONS.search(await response.text())
        except aiohttp.ClientError:
            return
        if found is not None:
            self._migrations_now = int(float(found.group(1)))


def missing_blocks(state: dict[str, Any]) -> int:
    """KV blocks that are not free."""
    return sum(
        int(worker["gauges"]["kv_blocks"] - worker["gauges"]["free_kv_blocks"])
        for worker in state["workers"]
    )


def restarts(state: dict[str, Any]) -> int:
    """How often workers were lost in this life of the server."""
    return sum(int(worker["gauges"]["restarts"]) for worker in state["workers"])
