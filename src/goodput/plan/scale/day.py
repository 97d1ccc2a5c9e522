"""Simulate a fleet over a stretch of traffic, and what comes out of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.kv.invariants import require
from goodput.plan.scale.fleet import FleetSpec, build
from goodput.plan.scale.loop import advance
from goodput.plan.scale.state import (
    HISTOGRAM_LEAST_S,
    HISTOGRAM_RATIO,
    Fleet,
    Floats,
    Integers,
    Records,
    with_room_for,
)
from goodput.plan.scale.traffic import Arrivals

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class FleetDay:
    """What became of the requests, in intervals of ``interval_s`` by their arrival.

    ``buckets`` has the fields of ``state.BUCKET``, one record an interval. Histograms count ended
    requests (``ttft``) and those of two tokens or more (``tpot``): shape (intervals, bins).
    """

    spec: FleetSpec
    slo: SLO
    interval_s: float
    buckets: Records
    ttft: Integers
    tpot: Integers
    peak_in_flight: int

    @property
    def scheduled(self) -> int:
        """All requests."""
        return int(self.buckets["scheduled"].sum())

    @property
    def met(self) -> int:
        """Requests that met every bound; refused ones met none."""
        return int(self.buckets["met"].sum())

    @property
    def attainment(self) -> float:
        """Of all requests; NaN without any."""
        return self.met / self.scheduled if self.scheduled else math.nan

    @property
    def mean_ttft_s(self) -> float:
        """Of the requests that ended, exact."""
        return float(self.buckets["ttft_s"].sum() / self.buckets["ended"].sum())

    def attainments(self) -> Floats:
        """By interval; NaN where nothing arrived. Shape (intervals,)."""
        scheduled = self.buckets["scheduled"].astype(float)
        scheduled[scheduled == 0] = math.nan
        return np.asarray(self.buckets["met"] / scheduled)

    def ttft_at(self, quantile: float) -> Floats:
        """TTFT in seconds at a quantile (0..1), by interval, to 0.5 %; NaN where none ended."""
        return np.array([_quantile(counts, quantile) for counts in self.ttft])

    def tpot_at(self, quantile: float) -> Floats:
        """As :meth:`ttft_at`."""
        return np.array([_quantile(counts, quantile) for counts in self.tpot])

    def overall(self, quantile: float) -> tuple[float, float]:
        """TTFT and TPOT in seconds at a quantile of all requests that ended."""
        return _quantile(self.ttft.sum(axis=0), quantile), _quantile(
            self.tpot.sum(axis=0), quantile
        )


def simulate_fleet(
    spec: FleetSpec,
    traffic: Iterable[Arrivals],
    slo: SLO,
    *,
    seconds: float,
    interval_s: float = 300.0,
    progress: Progress | None = None,
) -> FleetDay:
    """Play ``traffic`` (in order of time) to the end of the last answer.

    ``seconds`` is the length of the traffic, ``progress`` is told after each piece of it how many
    have passed. The same traffic gives the same result. Memory grows with the requests in flight.
    """
    if not 0 < interval_s < math.inf:
        raise UsageError(f"interval_s must be a positive time, not {interval_s}")
    fleet = build(spec, slo, max(1, math.ceil(seconds / interval_s)), interval_s)
    for arrivals in traffic:
        if arrivals.times_s.size:
            fleet = with_room_for(fleet, arrivals.times_s.size)
            advance(fleet, *arrivals, float(arrivals.times_s[-1]))
            if progress is not None:
                progress(float(arrivals.times_s[-1]))
    _drain(fleet)
    if not fleet.buckets["scheduled"].sum():
        raise UsageError("the traffic has no requests")
    return FleetDay(
        spec=spec,
        slo=slo,
        interval_s=interval_s,
        buckets=fleet.buckets,
        ttft=fleet.ttft,
        tpot=fleet.tpot,
        peak_in_flight=int(fleet.totals[0]["peak_in_flight"]),
    )


def _drain(fleet: Fleet) -> None:
    nothing = np.empty(0, np.int64)
    advance(fleet, np.empty(0), nothing, nothing, math.inf)
    require(fleet.totals[0]["free"] == fleet.requests.size, "a request of the fleet never ended")


def _quantile(counts: Integers, quantile: float) -> float:
    """The middle (by ratio) of the histogram's bin that holds the quantile."""
    total = int(counts.sum())
    if total == 0:
        return math.nan
    place = int(np.searchsorted(np.cumsum(counts), quantile * total, side="left"))
    return float(HISTOGRAM_LEAST_S * HISTOGRAM_RATIO ** (place - 0.5))
