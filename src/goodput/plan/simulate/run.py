"""A whole simulation: several rates in turn, judged and summed up as a measured run is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goodput.bench.run.ledger import Ledger
from goodput.bench.run.runner import Outcome, Step
from goodput.bench.run.session import Load
from goodput.bench.run.steps import SEED_STRIDE
from goodput.bench.summary import BenchSummary, EndpointSummary
from goodput.bench.wire.dialect import Dialect
from goodput.core.config import DeploymentConfig
from goodput.core.slo import SLO
from goodput.core.validity import Window
from goodput.plan.profile.schema import Profile
from goodput.plan.simulate.arrival import Encoder, arrivals_of
from goodput.plan.simulate.play import play
from goodput.plan.simulate.trace import Trace

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What is played: ``load`` at ``steps`` through ``config`` with the times of ``profile``."""

    profile: Profile
    config: DeploymentConfig
    load: Load
    slo: SLO | None
    steps: Sequence[Step]


def simulate(
    simulation: Simulation,
    encode: Encoder,
    *,
    trace: Trace | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """Play all steps, one after the other, on a fresh fleet each: what ``bench run`` would report.

    The seeds are those of ``bench run``, so the same requests come at the same times.
    """
    load, steps = simulation.load, simulation.steps
    ledger = Ledger(
        BenchSummary(
            endpoints=[
                EndpointSummary(
                    url=f"simulated: {simulation.profile.name}",
                    model=simulation.profile.model,
                    dialect=Dialect(),
                )
            ],
            workload=load.workload.name,
            arrivals=load.arrivals.label,
            seed=load.seed,
            origin=0.0,
        ),
        [],
    )
    start = 0.0
    for number, step in enumerate(steps):

        def share(done: float, number: int = number) -> None:
            if progress is not None:
                progress((number + done) / len(steps))

        seed = load.seed + SEED_STRIDE * number
        plan = load.workload.plan(step.rate, 0.0, step.length, seed, load.arrivals)
        outcome = play(
            simulation.profile,
            simulation.config,
            arrivals_of(plan, encode, load.workload.name),
            step,
            slo=simulation.slo,
            drain_s=load.drain_s,
            seed=seed,
            note_step=None if trace is None else trace.at(start),
            progress=share,
        )
        _shift(outcome, start)
        start += step.length + load.drain_s
        ledger.records.extend(outcome.records)
        ledger.summary.add(outcome, simulation.slo, load.drain_s)
    return ledger


def _shift(outcome: Outcome, seconds: float) -> None:
    """Put a step, which was played from 0 on, at its place on the run's clock."""
    if not seconds:
        return
    window = outcome.window
    outcome.window = Window(start=window.start + seconds, end=window.end + seconds)
    for record in outcome.records:
        record.scheduled += seconds
        record.sent = None if record.sent is None else record.sent + seconds
        record.end = None if record.end is None else record.end + seconds
        record.token_times = [
            type(stamp)(stamp.time + seconds, stamp.count) for stamp in record.token_times
        ]
