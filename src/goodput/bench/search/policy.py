"""Which rate to judge next: a pure policy, the same for a live server and for a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from goodput.bench.results import Censored
from goodput.bench.search.curve import Array, Judged, ThresholdGrid
from goodput.core.errors import UsageError

CONFIDENCE = 0.95
_REPLICATES = 400
_TAIL = (1 - CONFIDENCE) / 2
# Where the next window goes, as quantiles of what is known: around the crossing, on both sides.
_ASK = (0.5, 0.2, 0.8)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The crossing with its 95 % interval, in requests/s.

    ``censored``: it lies ``above`` (or ``below``) all judged rates, of which ``rate`` is then the
    highest (lowest).
    """

    rate: float
    low: float
    high: float
    censored: Censored

    def __str__(self) -> str:
        if self.censored == "none":
            sure = f"{CONFIDENCE * 100:.0f} % interval {self.low:.3g}–{self.high:.3g}"
            return f"{self.rate:.3g} req/s ({sure})"
        return f"{'at least' if self.censored == 'above' else 'below'} {self.rate:.3g} req/s"


@dataclass(slots=True)
class RateSearch:
    """Feed it judged windows; it says which rate to judge next, and what is known so far.

    It brackets first, by factors of two from ``start``; then it asks where the windows so far
    leave the crossing open. Rates stay in ``[lowest, highest]`` requests/s.
    """

    start: float
    lowest: float
    highest: float
    target: float
    seed: int = 0
    windows: list[Judged] = field(default_factory=list)
    _known: tuple[int, Array] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.lowest <= self.start <= self.highest < float("inf"):
            raise UsageError(
                f"a search needs 0 < lowest ≤ first ≤ highest rate, not {self.lowest:g}, "
                f"{self.start:g} and {self.highest:g}"
            )
        if not 0 < self.target < 1:
            raise UsageError(
                f"a search needs an attainment target below 100 %, not {self.target:.0%}: no "
                "number of requests proves that none ever misses"
            )

    def judge(self, rate: float, met: Sequence[bool]) -> None:
        """Take in one window; an empty one says nothing and is forgotten."""
        if met:
            self.windows.append(Judged(rate, tuple(met)))

    def next_rate(self) -> float:
        """The rate whose window would say most about the crossing."""
        if not self.windows:
            return self.start
        met = [window.rate for window in self.windows if window.attainment >= self.target]
        missed = [window.rate for window in self.windows if window.attainment < self.target]
        if not missed:
            return min(max(met) * 2, self.highest)
        if not met:
            return max(min(missed) / 2, self.lowest)
        asked = _ASK[len(self.windows) % len(_ASK)]
        return min(max(float(np.quantile(self._draws(), asked)), self.lowest), self.highest)

    def bounds(self) -> Bounds:
        """What the windows so far (at least one) prove, by the bootstrap."""
        low, rate, high = (
            float(draw) for draw in np.quantile(self._draws(), (_TAIL, 0.5, 1 - _TAIL))
        )
        top = max(window.rate for window in self.windows)
        bottom = min(window.rate for window in self.windows)
        if rate > top:
            return Bounds(top, min(low, top), top, "above")
        if rate < bottom:
            return Bounds(bottom, bottom, max(high, bottom), "below")
        return Bounds(rate, low, high, "none")

    def settled(self, tolerance: float) -> bool:
        """Whether more windows would not tell much more.

        Either the interval's ends are within ``tolerance`` of each other (0.1 is 10 %), or the
        crossing is, as surely, outside of the rates that may be asked.
        """
        if not self.windows:
            return False
        bounds = self.bounds()
        if bounds.censored == "above":
            return bounds.low >= self.highest
        if bounds.censored == "below":
            return bounds.high <= self.lowest
        return bounds.high <= bounds.low * (1 + tolerance)

    def _draws(self) -> Array:
        """The bootstrap's rates, sorted; kept until the next window is judged."""
        if self._known is None or self._known[0] != len(self.windows):
            grid = ThresholdGrid(self.windows, self.target)
            self._known = len(self.windows), grid.bootstrap(_REPLICATES, self.seed)
        return self._known[1]
