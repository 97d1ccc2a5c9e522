"""What is done to the workers: killed, stopped for good or for a while, slowed, told to leave."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Final

import psutil
from host import Host

_SHARES: Final = {"killed": 6, "stopped for good": 2, "stopped": 4, "slowed": 4, "told to leave": 2}


class Trouble:
    """Strikes a random worker every ``every_s`` seconds on average; ``strikes`` counts them."""

    def __init__(self, host: Host, seed: int, every_s: float) -> None:
        self._host = host
        self._dice = random.Random(seed)
        self._every_s = every_s
        self.strikes: Counter[str] = Counter()
        self._going_on: set[asyncio.Task[None]] = set()

    async def run(self, seconds: float) -> None:
        """Returns when the last worker that was stopped or slowed may go on."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            pause = self._dice.uniform(0.3, 1.7) * self._every_s
            if asyncio.get_running_loop().time() + pause > end:
                break
            await asyncio.sleep(pause)
            self._strike()
        await asyncio.gather(*self._going_on)

    def _strike(self) -> None:
        workers = self._host.workers()
        if not workers:
            return
        worker = self._dice.choice(workers)
        kind = self._dice.choices(list(_SHARES), list(_SHARES.values()))[0]
        self.strikes[kind] += 1
        with contextlib.suppress(psutil.NoSuchProcess):
            if kind == "killed":
                worker.kill()
            elif kind == "stopped for good":
                worker.suspend()
            elif kind == "told to leave":
                worker.terminate()
            elif kind == "stopped":
                self._go_on(_stop(worker, self._dice.uniform(0.05, 1.0)))
            else:
                self._go_on(_slow(worker, self._dice.uniform(1.0, 4.0)))

    def _go_on(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)


async def _stop(worker: psutil.Process, seconds: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        worker.suspend()
        await asyncio.sleep(seconds)
        worker.resume()


async def _slow(worker: psutil.Process, seconds: float) -> None:
    """Let it run a fifth of the time."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end and worker.is_running():
        await _stop(worker, 0.04)
        await asyncio.sleep(0.01)
