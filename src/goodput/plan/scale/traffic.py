"""A day of requests, made minute by minute so that no more than a minute is ever held."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from goodput.bench.workloads.text import Length
from goodput.core.errors import UsageError

DAY_S: Final = 86_400.0
_MINUTE_S: Final = 60.0


class Arrivals(NamedTuple):
    """Requests in the order of their arrival, each array of shape (requests,).

    ``times_s`` counts from the start of the traffic; ``prompts`` and ``outputs`` are tokens, both
    at least 1.
    """

    times_s: npt.NDArray[np.float64]
    prompts: npt.NDArray[np.int64]
    outputs: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Diurnal:
    """Poisson arrivals whose rate swings around its mean like a day's.

    ``rate`` is the day's mean in requests per second; at ``peak_hour`` it is (1 + swing) times
    that, twelve hours later (1 − swing) times. Within a minute it is constant. ``prompt`` and
    ``output`` are clipped lognormal lengths. The same seed gives the same day.
    """

    rate: float
    prompt: Length
    output: Length
    swing: float = 0.5
    peak_hour: float = 15.0
    seconds: float = DAY_S
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            raise UsageError(f"traffic.rate must be positive requests per second, not {self.rate}")
        if not 0 <= self.swing <= 1:
            raise UsageError(f"traffic.swing must lie in 0..1, not {self.swing}")
        if not 0 < self.seconds < math.inf:
            raise UsageError(f"traffic.seconds must be a positive time, not {self.seconds}")

    def rate_at(self, second: float) -> float:
        """Requests per second at a moment of the day."""
        turn = 2 * math.pi * (second - self.peak_hour * 3600) / DAY_S
        return self.rate * (1 + self.swing * math.cos(turn))

    def __iter__(self) -> Iterator[Arrivals]:
        for minute in range(math.ceil(self.seconds / _MINUTE_S)):
            start = minute * _MINUTE_S
            length = min(_MINUTE_S, self.seconds - start)
            rng = np.random.default_rng((self.seed, minute))
            count = int(rng.poisson(self.rate_at(start + length / 2) * length))
            yield Arrivals(
                times_s=start + length * np.sort(rng.random(count)),
                prompts=_lengths(rng, self.prompt, count),
                outputs=_lengths(rng, self.output, count),
            )


def _lengths(rng: np.random.Generator, length: Length, count: int) -> npt.NDArray[np.int64]:
    median, sigma, low, high = length
    drawn = np.rint(rng.lognormal(math.log(median), sigma, count))
    return np.clip(drawn, low, high).astype(np.int64)
