"""The same requests judged by tighter and looser bounds."""

from __future__ import annotations

from collections.abc import Sequence

from goodput.bench.results import SweepPoint
from goodput.core.percentiles import wilson_interval
from goodput.core.record import RequestRecord


def judge_at(records: Sequence[RequestRecord], scales: Sequence[float]) -> list[SweepPoint]:
    """``records`` (at least one) judged by their own bounds times each of ``scales``."""
    points = []
    for scale in scales:
        met = sum(record.met(record.slo and record.slo.scaled(scale)) for record in records)
        low, high = wilson_interval(met, len(records))
        points.append(
            SweepPoint(
                scale=scale,
                met=met,
                trials=len(records),
                attainment=met / len(records),
                low=low,
                high=high,
            )
        )
    return points
