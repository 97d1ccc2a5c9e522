"""Random and regular processes. At another rate the same seed gives the same pattern, rescaled."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from goodput.bench.arrivals.base import check_rate
from goodput.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Constant:
    """One request every ``1 / rate`` seconds; the seed is not used."""

    @property
    def label(self) -> str:
        return "constant"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        check_rate(rate, start, end)
        times: list[float] = []
        # Multiplied, not summed: rounding errors must not drift over a long run.
        while (at := start + len(times) / rate) < end:
            times.append(at)
        return times


@dataclass(frozen=True, slots=True)
class Poisson:
    """Independent users: exponential gaps."""

    @property
    def label(self) -> str:
        return "poisson"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        rng = random.Random(f"poisson/{seed}")
        return _cumulate(lambda: rng.expovariate(1.0), rate, start, end)


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma gaps of shape ``burstiness``: 1 is Poisson, below 1 burstier (gap CV is its ^-1/2)."""

    burstiness: float

    def __post_init__(self) -> None:
        if not 0.01 <= self.burstiness <= 1e6:
            raise UsageError(
                f"the burstiness of gamma arrivals must be at least 0.01, not {self.burstiness}"
            )

    @property
    def label(self) -> str:
        return f"gamma:{self.burstiness:g}"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        rng = random.Random(f"gamma/{self.burstiness}/{seed}")
        shape = self.burstiness
        return _cumulate(lambda: rng.gammavariate(shape, 1 / shape), rate, start, end)


@dataclass(frozen=True, slots=True)
class Ramp:
    """Poisson arrivals whose intensity goes linearly from ``low`` to ``high``, mean ``rate``.

    Only the ratio of the two counts: ``ramp:0..1`` ends at twice the mean rate.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if min(self.low, self.high) < 0 or not 0 < self.low + self.high < math.inf:
            raise UsageError("the two ends of a ramp must be numbers, and not both 0")

    @property
    def label(self) -> str:
        return f"ramp:{self.low:g}..{self.high:g}"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        check_rate(rate, start, end)
        rng = random.Random(f"ramp/{seed}")
        length = end - start
        first = 2 * self.low / (self.low + self.high)
        slope = 2 - 2 * first
        times: list[float] = []
        done = rng.expovariate(1.0) / rate
        while done < length:
            # Seconds at the mean rate until `share` of the way: (first + slope·share/2)·share.
            target = done / length
            root = math.sqrt(first * first + 2 * slope * target)
            at = start + length * (2 * target / (first + root))
            if at >= end:
                break
            times.append(at)
            done += rng.expovariate(1.0) / rate
        return times


@dataclass(frozen=True, slots=True)
class Bursts:
    """Poisson arrivals during ``on`` seconds, then none for ``off``; ``rate`` is over both."""

    on: float
    off: float

    def __post_init__(self) -> None:
        if self.on <= 0:
            raise UsageError("the on time of bursts must be longer than 0 s")

    @property
    def label(self) -> str:
        return f"burst:on={self.on:g}s,off={self.off:g}s"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        rng = random.Random(f"burst/{seed}")
        period = self.on + self.off
        rounds = math.ceil((end - start) / period)
        busy = _cumulate(
            lambda: rng.expovariate(1.0), rate * period / self.on, 0.0, rounds * self.on
        )
        stretched = (start + at + self.off * (at // self.on) for at in busy)
        return [at for at in stretched if at < end]


def _cumulate(gap: Callable[[], float], rate: float, start: float, end: float) -> list[float]:
    """Times whose gaps are ``gap() / rate``, with ``gap`` of mean 1."""
    check_rate(rate, start, end)
    times: list[float] = []
    at = start + gap() / rate
    while at < end:
        times.append(at)
        at += gap() / rate
    return times
