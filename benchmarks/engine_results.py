"""The engine benchmark's figures, made from seconds per step. Ratios are taken repeat by repeat."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine_cases import Case

OURS = "ours"
HOPELESS = 1.5
"""A variant whose first time is so many times the best one's is not timed again."""


@dataclass(frozen=True)
class Floor:
    """What the machine allows a step: integer operations and bytes per second, and seconds."""

    product_rate: float
    bandwidth: float
    product_seconds: float
    weight_seconds: float
    cache_seconds: float

    @property
    def byte_seconds(self) -> float:
        return self.weight_seconds + self.cache_seconds

    @property
    def seconds(self) -> float:
        return max(self.product_seconds, self.byte_seconds)


@dataclass
class Row:
    """One case on so many threads: seconds of a step by contestant and variant, one a repeat.

    A variant that was given up has fewer.
    """

    case: Case
    threads: int
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    floors: list[Floor] = field(default_factory=list)

    def candidates(self, name: str, variants: Sequence[str]) -> list[str]:
        """Those of ``variants`` that are still worth timing."""
        known = self.seconds.get(name)
        if not known:
            return list(variants)
        best = min(times[0] for times in known.values())
        return [variant for variant in variants if known[variant][0] <= HOPELESS * best]

    def add(self, name: str, variant: str, seconds: float) -> None:
        self.seconds.setdefault(name, {}).setdefault(variant, []).append(seconds)

    @property
    def peers(self) -> list[str]:
        return [name for name in self.seconds if name != OURS]

    def best_variant(self, name: str) -> str:
        """Of those timed in every repeat, the one with the lowest median."""
        times = self.seconds[name]
        whole = max(map(len, times.values()))
        full = [variant for variant in times if len(times[variant]) == whole]
        return min(full, key=lambda variant: statistics.median(times[variant]))

    def best(self, name: str) -> list[float]:
        return self.seconds[name][self.best_variant(name)]

    def rates(self, name: str) -> list[float]:
        """Tokens per second of the contestant's best variant."""
        return [self.case.tokens / seconds for seconds in self.best(name)]

    def ratio(self, peer: str) -> float:
        """How many times as fast as that peer we are."""
        return _median_ratio(self.best(peer), self.best(OURS))

    @property
    def ratio_to_best(self) -> float | None:
        """The same for the better of the peers; None without any."""
        return min(map(self.ratio, self.peers), default=None)

    @property
    def share(self) -> float:
        """The floor's seconds over ours."""
        return _median_ratio([floor.seconds for floor in self.floors], self.best(OURS))

    def scaling(self, single: Row) -> float:
        """How many times as fast as with the threads of ``single``."""
        return _median_ratio(single.best(OURS), self.best(OURS))

    def summary(self) -> dict[str, Any]:
        """The derived figures, for the JSON file."""
        return {
            "name": self.case.name,
            "tokens_per_second": {n: statistics.median(self.rates(n)) for n in self.seconds},
            "best_variant": {name: self.best_variant(name) for name in self.seconds},
            "ratio": {name: self.ratio(name) for name in self.peers},
            "ratio_to_best": self.ratio_to_best,
            "share_of_floor": self.share,
        }


@dataclass(frozen=True)
class ContextCost:
    """What the longer of two contexts adds to a decode step, and what its cache takes to read."""

    batch: int
    threads: int
    extra_seconds: float
    read_seconds: float


def context_costs(rows: Iterable[Row]) -> list[ContextCost]:
    """For every batch and number of threads that was timed with two contexts."""
    groups: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        if row.case.before:
            groups.setdefault((row.threads, row.case.sequences), []).append(row)
    costs = []
    for (threads, batch), pair in groups.items():
        if len(pair) < 2:
            continue
        short, long = sorted(pair, key=lambda row: row.case.context)
        extra = statistics.median(long.best(OURS)) - statistics.median(short.best(OURS))
        read = _median_cache(long) - _median_cache(short)
        costs.append(ContextCost(batch, threads, extra, read))
    return costs


def _median_cache(row: Row) -> float:
    return statistics.median(floor.cache_seconds for floor in row.floors)


def _median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(above, below, strict=True))
