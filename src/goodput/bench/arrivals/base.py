"""What an arrival process is: seeded, absolute times that are fixed before the run starts."""

from __future__ import annotations

import math
from typing import Protocol

from goodput.core.errors import UsageError

MAX_REQUESTS = 1_000_000


class Arrivals(Protocol):
    """A process of arrivals. ``label`` is how outputs name it."""

    @property
    def label(self) -> str: ...

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        """Arrivals in ``[start, end)`` seconds, sorted; their long-run mean is ``rate`` a second.

        Raises UsageError when there can be none, or far too many.
        """
        ...


def check_rate(rate: float, start: float, end: float) -> None:
    """Raise UsageError unless ``rate`` is positive and the requests can be held in memory."""
    if not 0 < rate < math.inf:
        raise UsageError(f"the request rate must be positive, not {rate}")
    if rate * (end - start) > MAX_REQUESTS:
        raise UsageError(
            f"{rate:g} requests per second for {end - start:g} s is more than {MAX_REQUESTS} "
            "requests: lower the rate or the duration"
        )
