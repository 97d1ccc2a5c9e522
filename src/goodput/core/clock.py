"""Time as a dependency: the same policies run on a real clock and on a simulated one."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic time in seconds. Only differences have a meaning."""

    def now(self) -> float: ...


class MonotonicClock:
    """The machine's CLOCK_MONOTONIC: one time line for all processes of a host."""

    def now(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves only when it is told to (tests, simulation)."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds`` (>= 0)."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock cannot go back by {-seconds} s")
        self._now += seconds

    def advance_to(self, time: float) -> None:
        """Move to ``time``, exactly; one that has passed changes nothing."""
        self._now = max(self._now, time)
