"""How many requests keep their promise when a candidate is offered a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from goodput.core.slo import SLO
from goodput.plan.scale.day import simulate_fleet
from goodput.plan.search.candidate import Candidate
from goodput.plan.search.demand import Demand

# The first part of a run finds an empty system: it is not counted.
_PARTS = 10
_WARM_UP_PARTS = 1
# Misses come in bursts: runs whose requests are drawn again for an interval are cut this fine.
_FINE_PARTS = 100


class Judge(Protocol):
    """Whether each request of a window was met, roughly in order of arrival."""

    def __call__(self, candidate: Candidate, rate: float, demand: Demand) -> list[bool]: ...


@dataclass(frozen=True, slots=True)
class FleetJudge:
    """Judges by the compiled model of a fleet (``plan/scale``): milliseconds a window."""

    slo: SLO

    def __call__(self, candidate: Candidate, rate: float, demand: Demand) -> list[bool]:
        """See :class:`Judge`. Within a hundredth of the window those that met come first."""
        outcome: list[bool] = []
        met, scheduled = self._counts(candidate, rate, demand, _FINE_PARTS)
        for kept, of in zip(met.tolist(), scheduled.tolist(), strict=True):
            outcome += [True] * kept + [False] * (of - kept)
        return outcome

    def attainment(self, candidate: Candidate, rate: float, demand: Demand) -> float:
        """The share that met, of the requests after the warm-up."""
        met, scheduled = self._counts(candidate, rate, demand, _PARTS)
        return float(met.sum() / scheduled.sum())

    def _counts(
        self, candidate: Candidate, rate: float, demand: Demand, parts: int
    ) -> tuple[np.ndarray, np.ndarray]:
        arrivals = demand.at(rate / candidate.cells)
        seconds = float(arrivals.times_s[-1])
        day = simulate_fleet(
            candidate.fleet,
            [arrivals],
            self.slo,
            seconds=seconds,
            interval_s=max(seconds / parts, 1e-9),
        )
        counted = day.buckets[parts * _WARM_UP_PARTS // _PARTS :]
        return counted["met"], counted["scheduled"]
