"""What judged windows say about the rate at which attainment falls to its target.

The model is the usual one for a threshold: attainment is a falling logistic curve over the
logarithm of the rate, under a ceiling, because a share of the requests may miss at any rate. It
crosses the target at the **goodput** of the system. Every curve of a grid is weighed by how well
it explains the windows; no curve is fitted by descent, so windows that all met or all missed are
nothing special.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_THRESHOLDS = 240
# The candidates reach this factor beyond the judged rates, so that a crossing outside shows.
_BEYOND = 2.0
# Widths of the fall in units of ln(rate): from a cliff to half an e-fold.
_WIDTHS = np.geomspace(0.01, 0.5, 5)
# Shares that miss at any rate, as parts of what the target allows.
_LAPSES = np.array([0.0, 0.3, 0.6])
# Blocks of this many consecutive requests are drawn together: misses come in bursts.
_BLOCK = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One window at ``rate`` requests/s: whether each request met its SLO, in order of schedule."""

    rate: float
    met: tuple[bool, ...]

    @property
    def attainment(self) -> float:
        """Share of the requests that met; nan for an empty window."""
        return sum(self.met) / len(self.met) if self.met else float("nan")


class ThresholdGrid:
    """The candidate curves around the rates of ``windows`` (at least one), and their weights.

    ``log_rates`` are the candidates for ln(goodput); ``target`` lies in (0, 1).
    """

    def __init__(self, windows: Sequence[Judged], target: float) -> None:
        self._windows = windows
        self._rates: Array = np.array([window.rate for window in windows])
        self.log_rates: Array = np.linspace(
            np.log(self._rates.min() / _BEYOND), np.log(self._rates.max() * _BEYOND), _THRESHOLDS
        )
        ceilings = 1 - _LAPSES * (1 - target)
        # A curve is at the target where its logistic part is at target / ceiling.
        at_target = np.log(target / (ceilings - target))
        axes = np.meshgrid(self.log_rates, 1 / _WIDTHS, np.arange(len(ceilings)), indexing="ij")
        self._threshold, self._steepness = axes[0].ravel(), axes[1].ravel()
        which = axes[2].ravel().astype(int)
        self._ceiling, self._shift = ceilings[which], at_target[which]

    def _attainment(self) -> Array:
        """What each curve says at the rate of each window: ``[curves, windows]``, in (0, 1)."""
        fall = self._steepness[:, None] * (np.log(self._rates) - self._threshold[:, None])
        logit = np.clip(self._shift[:, None] - fall, -30.0, 30.0)
        share: Array = self._ceiling[:, None] / (1 + np.exp(-logit))
        return share.clip(1e-4, 1 - 1e-4)

    def bootstrap(self, replicates: int, seed: int) -> Array:
        """``replicates`` draws of the threshold's rate, sorted.

        Each replicate draws every window's requests again, in blocks, and weighs the windows at
        random (the Bayesian bootstrap: whole windows differ by more than their requests explain);
        then one threshold is drawn from what that replicate says.
        """
        rng = np.random.default_rng(seed)
        sizes = np.array([[float(len(window.met))] for window in self._windows])
        met = np.stack(
            [
                _resampled(np.array(window.met, dtype=float), replicates, rng)
                for window in self._windows
            ]
        )
        weights = rng.exponential(size=met.shape)
        posterior = self._weigh(met * weights, sizes * weights)
        cumulative = np.cumsum(posterior, axis=0)
        picks = (cumulative < rng.random(replicates)).sum(axis=0)
        draws: Array = np.sort(np.exp(self.log_rates[np.minimum(picks, _THRESHOLDS - 1)]))
        return draws

    def _weigh(self, met: Array, sizes: Array) -> Array:
        """Weights ``[thresholds, columns]`` from counts ``[windows, columns]``."""
        share = self._attainment()
        log_miss = np.log1p(-share)
        score = (np.log(share) - log_miss) @ met + log_miss @ sizes
        weight = np.exp(score - score.max(axis=0))
        by_threshold = weight.reshape(_THRESHOLDS, -1, met.shape[1]).sum(axis=1)
        posterior: Array = by_threshold / by_threshold.sum(axis=0)
        return posterior


def _resampled(met: Array, replicates: int, rng: np.random.Generator) -> Array:
    """How many of a window's requests met in each replicate, by the circular block bootstrap."""
    if len(met) == 0:
        return np.zeros(replicates)
    block = min(_BLOCK, len(met))
    ends = np.cumsum(np.concatenate([met, met[: block - 1]]))
    sums = ends[block - 1 :] - np.concatenate([[0.0], ends[: len(met) - 1]])
    blocks = len(met) / block
    whole = int(np.ceil(blocks))
    starts = rng.integers(len(met), size=(whole, replicates))
    total: Array = sums[starts].sum(axis=0) * (blocks / whole)
    return total
