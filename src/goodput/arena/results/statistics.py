"""Small samples without assumptions about their shape: intervals and paired tests.

Sources: the percentile bootstrap (Efron 1979); the sign-flip test of paired differences (Fisher
1935); Holm's step-down correction (1979); Glass's delta (1976).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

REPLICATES: Final = 4000
_EXACT: Final = 15
"""Up to so many pairs all sign flips are counted."""
_DRAWS: Final = 20_000

Interval = tuple[float, float]


def mean_interval(values: Sequence[float], share: float = 0.95, seed: int = 0) -> Interval | None:
    """An interval of the mean of ``values``, by resampling them; None of fewer than two."""
    if len(values) < 2:
        return None
    sample = np.asarray(values, float)
    return middle(sample[_picks(sample.size, seed)].mean(axis=1), share)


def ratio_interval(
    tops: Sequence[float], bottoms: Sequence[float], share: float = 0.95, seed: int = 0
) -> Interval | None:
    """An interval of the sum of ``tops`` over that of ``bottoms``, by resampling pairs of them;
    None of fewer than two, or where a bottom is not above 0."""
    if len(tops) < 2 or min(bottoms) <= 0:
        return None
    picks = _picks(len(tops), seed)
    above, below = np.asarray(tops, float)[picks], np.asarray(bottoms, float)[picks]
    return middle(above.sum(axis=1) / below.sum(axis=1), share)


def middle(draws: npt.ArrayLike, share: float = 0.95) -> Interval:
    """The bounds of the middle ``share`` of ``draws``."""
    tail = (1 - share) / 2
    low, high = np.quantile(np.asarray(draws, float), [tail, 1 - tail])
    return float(low), float(high)


def sign_flip_p(differences: Sequence[float], seed: int = 0) -> float:
    """The two-sided chance that paired differences as far from 0 came about though neither side is
    better: that of all ways to swap the pairs. Exact for up to 15 pairs; 1 without any."""
    pairs = np.asarray([value for value in differences if value != 0], float)
    if not pairs.size:
        return 1.0
    if pairs.size <= _EXACT:
        bits = np.arange(1 << pairs.size)[:, None] >> np.arange(pairs.size) & 1
        signs = 1.0 - 2.0 * bits
        own = 0
    else:
        signs = np.random.default_rng(seed).choice((-1.0, 1.0), (_DRAWS, pairs.size))
        own = 1  # What was seen is one of the ways.
    sums = np.abs(signs @ pairs)
    # Sums of the same numbers in another order differ in their last bits.
    seen = abs(pairs.sum()) - 1e-12 * np.abs(pairs).sum()
    extreme = int((sums >= seen).sum())
    return (extreme + own) / (len(sums) + own)


def holm(p_values: Sequence[float]) -> list[float]:
    """``p_values`` corrected for being several, in their order: the chance that any of the smaller
    ones is wrong stays below what it says."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    least = 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = least
    return corrected


def glass_delta(scores: Sequence[float], control: Sequence[float]) -> float | None:
    """The difference of the means in standard deviations of the ``control`` (Glass's delta);
    None where the control does not vary or has fewer than two scores."""
    if len(control) < 2 or not scores:
        return None
    deviation = float(np.std(control, ddof=1))
    return (float(np.mean(scores)) - float(np.mean(control))) / deviation if deviation else None


def anchored(score: float, random: float, reference: float) -> float | None:
    """Where a score lies between the random player (0) and the reference (1); None where those do
    not differ in the right order."""
    return (score - random) / (reference - random) if reference > random else None


def _picks(size: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, size, (REPLICATES, size))
