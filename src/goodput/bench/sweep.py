"""Attainment over SLO scales: the same requests judged again by tighter and looser bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from goodput.bench.results import SweepResult
from goodput.bench.run.ledger import Ledger
from goodput.bench.run.promise import target_of
from goodput.bench.run.session import Watch
from goodput.bench.run.steps import BenchPlan, run_bench
from goodput.bench.scales import judge_at
from goodput.bench.summary import BenchSummary, StepSummary
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord


@dataclass(frozen=True, slots=True)
class Scales:
    """The ``factors`` (upwards) for every bound of the requests at ``rate``; None is the highest
    rate with attainment at target, or else the lowest."""

    factors: tuple[float, ...]
    rate: float | None = None

    def check(self, plan: BenchPlan) -> None:
        """Raise UsageError unless the rate is one that ``plan`` offers."""
        if self.rate is not None and self.rate not in {step.rate for step in plan.steps}:
            raise UsageError(f"--scale-rate {self.rate:g} is not one of --rates")


async def run_sweep(
    plan: BenchPlan, scales: Scales, *, stop: asyncio.Event, watch: Watch
) -> Ledger:
    """Run every rate of ``plan``, then judge one of them at every scale."""
    ledger = await run_bench(plan, verb="sweep", stop=stop, watch=watch)
    step = _chosen(ledger.summary, scales.rate)
    if step is not None:
        measured = step.figures.window.measured(step.of(ledger.records))
        target = target_of(plan.load.slo, plan.load.workload)
        ledger.summary.sweep = judge_scales(measured, scales.factors, step.figures.rate, target)
    return ledger


def judge_scales(
    measured: Sequence[RequestRecord], factors: Sequence[float], rate: float, target: float
) -> SweepResult:
    """``measured`` (at least one, all with an SLO) judged by their own bounds times each factor."""
    points = judge_at(measured, factors)
    # Looser bounds never lose a request, so attainment is at target from the tightest on.
    kept = [point.scale for point in points if point.attainment >= target]
    tightest = min(kept, default=None)
    if tightest is None:
        words = f"At {rate:.3g} req/s no SLO scale up to {factors[-1]:g} keeps {target:.0%}."
    else:
        words = (
            f"At {rate:.3g} req/s the tightest SLO scale that keeps {target:.0%} is {tightest:g}."
        )
    return SweepResult(rate=rate, target=target, scales=points, tightest=tightest, words=words)


def _chosen(summary: BenchSummary, rate: float | None) -> StepSummary | None:
    steps = [step for step in summary.steps if step.figures.scheduled]
    if rate is not None:
        return next((step for step in steps if step.figures.rate == rate), None)
    kept = [step for step in steps if (step.figures.attainment or 0.0) >= step.figures.target]
    return kept[-1] if kept else next(iter(steps), None)
