"""Percentiles, by one stated method: linear interpolation between closest ranks.

The value at quantile q of n sorted values lies at position q·(n−1), as NumPy's default does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Three percentiles of ``count`` values, in the values' unit (seconds unless stated)."""

    count: int
    p50: float
    p90: float
    p99: float


def percentile(ordered: Sequence[float], quantile: float) -> float:
    """The value at ``quantile`` (0..1) of a non-empty sequence sorted upwards."""
    position = quantile * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def percentiles(values: Iterable[float | None]) -> Percentiles | None:
    """p50, p90 and p99 of the values that are not None; None when there are none."""
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    return Percentiles(
        count=len(ordered),
        p50=percentile(ordered, 0.50),
        p90=percentile(ordered, 0.90),
        p99=percentile(ordered, 0.99),
    )


def wilson_interval(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Bounds of a share's 95 % confidence interval (Wilson's score); (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
