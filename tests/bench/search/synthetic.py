"""Systems with a known goodput, for searches to find: what share meets at a rate, and how."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from goodput.bench.search.policy import RateSearch

TARGET = 0.9
Curve = Callable[[float], float]


def cliff(goodput: float) -> Curve:
    """A queue: nearly all meet, until it is saturated a little above ``goodput``."""
    steepness = 8.0
    capacity = goodput / (1 - math.log(1 / (1 - TARGET)) / steepness)

    def share(rate: float) -> float:
        if rate < capacity:
            return 1 - math.exp(-steepness * (1 - rate / capacity))
        return 0.15 * capacity / rate

    return share


def slope(goodput: float) -> Curve:
    """A slow fall over the rate, with 3 % of misses at any rate."""
    top = 0.97
    at_target = math.log(TARGET / (top - TARGET))

    def share(rate: float) -> float:
        return top / (1 + math.exp(-at_target + math.log(rate / goodput) / 0.15))

    return share


def window(share: float, count: int, rng: random.Random, sticky: float = 0.0) -> list[bool]:
    """Outcomes of ``count`` requests; each repeats the one before with probability ``sticky``."""
    met: list[bool] = []
    for _ in range(count):
        fresh = rng.random() < share
        met.append(met[-1] if met and rng.random() < sticky else fresh)
    return met


def found(curve: Curve, seed: int, windows: int, sticky: float = 0.0) -> RateSearch:
    """A search that judged ``windows`` windows of about 20 s, of 40 requests at least."""
    rng = random.Random(seed)
    search = RateSearch(start=1.0, lowest=0.05, highest=100.0, target=TARGET, seed=seed)
    for _ in range(windows):
        rate = search.next_rate()
        search.judge(rate, window(curve(rate), max(40, round(20 * rate)), rng, sticky))
    return search
