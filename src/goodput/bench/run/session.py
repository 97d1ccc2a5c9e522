"""A whole benchmark run: find out what the server accepts, offer each rate, judge the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from goodput.bench.arrivals import ARRIVALS
from goodput.bench.run.runner import Runner, Step, Tally
from goodput.bench.summary import BenchSummary
from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.dialect import Dialect, find_dialect, first_model
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.workloads import find_workload
from goodput.bench.workloads.base import Workload
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What to offer to which server. Times in seconds; ``slo`` None is the workload's own."""

    url: str
    steps: tuple[Step, ...]
    workload: str = "chat"
    arrivals: str = "poisson"
    seed: int = 0
    slo: SLO | None = None
    model: str | None = None
    drain_s: float = 30.0
    timeout_s: float = 120.0

    def check(self) -> None:
        """Raise UsageError that names what cannot work, before anything is sent."""
        find_workload(self.workload)
        if self.arrivals not in ARRIVALS:
            raise UsageError(
                f"arrivals must be one of {', '.join(ARRIVALS)}, not {self.arrivals!r}"
            )
        if not self.steps:
            raise UsageError("there must be at least one request rate")
        for step in self.steps:
            if step.duration <= 0:
                raise UsageError("the duration must be longer than 0 s")
            ARRIVALS[self.arrivals](step.rate, 0.0, step.length, self.seed)
        if self.timeout_s <= 0:
            raise UsageError("the request timeout must be longer than 0 s")


def split_steps(rates: Iterable[float], duration: float, warmup: float) -> tuple[Step, ...]:
    """One step per rate; they share ``duration`` equally, and each has the whole warm-up."""
    listed = list(rates)
    return tuple(Step(rate=rate, warmup=warmup, duration=duration / len(listed)) for rate in listed)


Watch = Callable[[Step, Tally], None]


async def run_bench(
    plan: BenchPlan,
    *,
    api_key: str | None = None,
    stop: asyncio.Event | None = None,
    watch: Watch | None = None,
) -> tuple[BenchSummary, list[RequestRecord]]:
    """Run ``plan``; the summary and the records of all requests, warm-ups included.

    ``watch`` is called as each step starts, with a tally that changes while it runs. Setting
    ``stop`` ends the run early: what there is comes back, marked as interrupted.
    Raises UsageError when the plan or the server cannot work at all.
    """
    plan.check()
    stop = stop or asyncio.Event()
    workload = find_workload(plan.workload)
    slo = plan.slo or workload.slo
    records: list[RequestRecord] = []
    async with Endpoint(plan.url, api_key) as endpoint:
        model = plan.model or await first_model(endpoint)
        dialect = await find_dialect(endpoint, model)
        origin = time.monotonic()
        summary = BenchSummary(
            url=endpoint.url,
            model=model,
            workload=plan.workload,
            arrivals=plan.arrivals,
            seed=plan.seed,
            dialect=dialect,
            origin=origin,
        )

        def now() -> float:
            return time.monotonic() - origin

        client = BenchClient(endpoint, now, plan.timeout_s)
        runner = Runner(client.send, now, stop, plan.drain_s)
        planned = 0
        for number, step in enumerate(plan.steps):
            # Another seed for each step: the rates must not share one pattern's luck.
            times = ARRIVALS[plan.arrivals](step.rate, 0.0, step.length, plan.seed + 1000 * number)
            requests = _prepare(workload, plan.seed, planned, len(times), slo, model, dialect)
            planned += len(times)
            tally = Tally(slo)
            if watch is not None:
                watch(step, tally)
            outcome = await runner.run(step, times, requests, tally)
            records += outcome.records
            summary.add(outcome, slo, plan.drain_s)
            if stop.is_set():
                break
    return summary, records


def _prepare(
    workload: Workload,
    seed: int,
    first: int,
    count: int,
    slo: SLO,
    model: str,
    dialect: Dialect,
) -> list[tuple[RequestRecord, bytes]]:
    """Records and bodies, made before the step so that sending costs little."""
    return [
        (
            RequestRecord(
                id=f"{workload.name}-{index}", workload=workload.name, scheduled=0.0, slo=slo
            ),
            dialect.body(model, workload.request(seed, index)),
        )
        for index in range(first, first + count)
    ]
