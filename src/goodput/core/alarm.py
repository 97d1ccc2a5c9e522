"""Waking up at a moment, not at the next millisecond: the kernel's timers as file descriptors.

Event loops count in whole milliseconds. uvloop may wake half of one too early and asyncio a whole
one too late, which is as much as the error that a latency measurement may have.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import itertools
import math
import os
import sys
import time
from types import TracebackType
from typing import Final, Self

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Time), ("value", _Time))


class Alarm:
    """A file descriptor that becomes readable at a moment of :func:`time.monotonic` (Linux).

    Whoever made it closes it.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")

    def fileno(self) -> int:
        """The descriptor, for selectors and event loops."""
        return int(self._descriptor)

    def set(self, at: float) -> None:
        """Go off at ``at`` (at once when it has passed), instead of at an earlier setting."""
        nanoseconds = max(1, math.ceil(at * 1e9))
        timer = _Timer(_Time(0, 0), _Time(*divmod(nanoseconds, 1_000_000_000)))
        if self._libc.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(timer), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def clear(self) -> None:
        """Take note that it went off: no longer readable."""
        os.read(self._descriptor, 8)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)


class Sleeper:
    """``asyncio.sleep`` that is some 50 µs late instead of a millisecond, and never early.

    An asynchronous context. Where the system has no such timers, it sleeps as asyncio does.
    """

    def __init__(self) -> None:
        self._alarm = Alarm() if sys.platform == "linux" else None
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def __aenter__(self) -> Self:
        if self._alarm is not None:
            asyncio.get_running_loop().add_reader(self._alarm.fileno(), self._wake)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm is not None:
            asyncio.get_running_loop().remove_reader(self._alarm.fileno())
            self._alarm.close()

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, after one round of the loop when they are not positive."""
        if self._alarm is None or seconds <= 0:
            await asyncio.sleep(seconds)
            return
        at = time.monotonic() + seconds
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at, next(self._numbers), woken))
        self._alarm.set(self._sleepers[0][0])
        await woken

    def _wake(self) -> None:
        assert self._alarm is not None
        self._alarm.clear()
        while self._sleepers and self._sleepers[0][0] <= time.monotonic():
            _, _, woken = heapq.heappop(self._sleepers)
            # Whoever was cancelled meanwhile is not waiting any more.
            if not woken.done():
                woken.set_result(None)
        if self._sleepers:
            self._alarm.set(self._sleepers[0][0])
