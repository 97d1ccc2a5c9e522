"""The least of many changing keys: which worker acts next, and which has least to do.

A ranking is an array of 2·n keys, n a power of two: leaf i at n + i, and above every pair the
lesser of the two. Setting a key and finding the least take O(log n).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from goodput.plan.scale.compiled import compiled

Ranking = npt.NDArray[np.float64]


def new_ranking(count: int) -> Ranking:
    """A ranking of ``count`` things (>= 1), all of them at infinity: none is to be chosen."""
    leaves = 1 << max(0, count - 1).bit_length()
    return np.full(2 * leaves, np.inf)


@compiled
def set_key(ranking: Ranking, index: int, key: float) -> None:
    """Give ``index`` another key."""
    node = ranking.size // 2 + index
    ranking[node] = key
    node //= 2
    while node >= 1:
        lesser = min(ranking[2 * node], ranking[2 * node + 1])
        if ranking[node] == lesser:
            return
        ranking[node] = lesser
        node //= 2


@compiled
def key_of(ranking: Ranking, index: int) -> float:
    """The key of ``index``."""
    return float(ranking[ranking.size // 2 + index])


@compiled
def first(ranking: Ranking) -> int:
    """The index with the least key, the lowest among equals; -1 when all are at infinity."""
    least = ranking[1]
    if least == math.inf:
        return -1
    node, leaves = 1, ranking.size // 2
    while node < leaves:
        node *= 2
        if ranking[node] != least:
            node += 1
    return node - leaves
