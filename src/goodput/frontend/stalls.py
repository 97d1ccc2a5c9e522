"""Clients that stop reading: noticed by one timer for all, because every token is a write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from goodput.frontend.reading import ClientGone

_LOOKS_PER_TIMEOUT: Final = 4


class StallWatch:
    """Ends writes that take longer than ``timeout_s``, at the latest a quarter of it later.

    A timeout of its own for each write would cost more than encoding the token that is written.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._since: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def write(self, sending: Awaitable[None]) -> None:
        """Await ``sending``; raises ClientGone when that takes too long."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self._since[task] = loop.time()
        if self._timer is None:
            self._look_later(loop)
        try:
            await sending
        except asyncio.CancelledError:
            # Somebody else's cancellation may have come as well; it goes first.
            if task in self._ended and not task.uncancel():
                raise ClientGone from None
            raise
        finally:
            del self._since[task]
            self._ended.discard(task)

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self.timeout_s / _LOOKS_PER_TIMEOUT, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        late = loop.time() - self.timeout_s
        for task, since in self._since.items():
            if since <= late and task not in self._ended:
                self._ended.add(task)
                task.cancel()
        if self._since:
            self._look_later(loop)
