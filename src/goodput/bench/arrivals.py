"""When requests are due: seeded, absolute, and fixed before the run starts."""

from __future__ import annotations

import random
from collections.abc import Callable

from goodput.core.errors import UsageError

MAX_REQUESTS = 1_000_000

Arrivals = Callable[[float, float, float, int], list[float]]


def poisson(rate: float, start: float, end: float, seed: int) -> list[float]:
    """Arrivals of a Poisson process of ``rate`` per second in ``[start, end)``, sorted, in seconds.

    Times depend on the rate and the seed only through unit gaps: at another rate the same seed
    gives the same pattern, faster or slower.
    """
    _check(rate, start, end)
    gaps = random.Random(f"poisson/{seed}")
    times: list[float] = []
    at = start + gaps.expovariate(1.0) / rate
    while at < end:
        times.append(at)
        at += gaps.expovariate(1.0) / rate
    return times


def constant(rate: float, start: float, end: float, seed: int) -> list[float]:
    """One arrival every ``1 / rate`` seconds in ``[start, end)``; the seed is not used."""
    _check(rate, start, end)
    times: list[float] = []
    # Multiplied, not summed: rounding errors must not drift over a long run.
    while (at := start + len(times) / rate) < end:
        times.append(at)
    return times


ARRIVALS: dict[str, Arrivals] = {"poisson": poisson, "constant": constant}


def _check(rate: float, start: float, end: float) -> None:
    if not 0 < rate < float("inf"):
        raise UsageError(f"the request rate must be positive, not {rate}")
    if rate * (end - start) > MAX_REQUESTS:
        raise UsageError(
            f"{rate:g} requests per second for {end - start:g} s is more than {MAX_REQUESTS} "
            "requests: lower the rate or the duration"
        )
