"""The compiled fleet beside the production code, request by request of the same small load.

They decide alike but not always the same: the tolerances say how much that may matter, and
docs/scale.md what the differences are.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.scale.profiles import KV_BYTES, LINK, WORKER

from goodput.bench.run.runner import Step
from goodput.bench.workloads.base import PlannedRequest
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO
from goodput.plan.profile.schema import Profile
from goodput.plan.scale.day import FleetDay, simulate_fleet
from goodput.plan.scale.fleet import FleetSpec, Group
from goodput.plan.scale.traffic import Arrivals
from goodput.plan.simulate.arrival import Arrival
from goodput.plan.simulate.play import play

SLO_ = SLO(ttft=0.35, tpot=0.04)
ENGINE = EngineConfig(
    token_budget=2048,
    saturation_tokens=128,
    max_sequences=256,
    kv_tokens=WORKER.kv_tokens,
    prefix_cache=False,
    speculative_tokens=0,
)
PROFILE = Profile(
    name="small",
    model="none",
    machine="none",
    origin="estimate",
    source="made up",
    accelerator="gpu",
    workers=(WORKER,),
    near=LINK,
    far=LINK,
    kv_bytes_per_token=KV_BYTES,
    context_length=4096,
)


def load(rate: float, count: int, seed: int) -> Arrivals:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(1 / rate, count))
    return Arrivals(times, rng.integers(2, 1200, count), rng.integers(1, 120, count))


def production(arrivals: Arrivals, counts: WorkerCounts) -> list[RequestRecord]:
    rows = zip(*(column.tolist() for column in arrivals), strict=True)
    requests = [
        Arrival(
            RequestRecord(id=f"r{number}", workload="small", scheduled=time, slo=SLO_),
            PlannedRequest(messages=(), max_tokens=output, slo=SLO_),
            [0] * prompt,
        )
        for number, (time, prompt, output) in enumerate(rows)
    ]
    seconds = float(arrivals.times_s[-1]) + 1.0
    step = Step(rate=len(requests) / seconds, warmup=0.0, duration=seconds)
    config = DeploymentConfig(workers=counts, engine=ENGINE)
    return play(PROFILE, config, requests, step, drain_s=1e4).records


def compiled(arrivals: Arrivals, counts: WorkerCounts) -> FleetDay:
    def group(role: str, count: int) -> Group:
        return Group(
            role,  # type: ignore[arg-type]
            count,
            WORKER,
            max_sequences=ENGINE.max_sequences,
            token_budget=ENGINE.token_budget,
            saturation_tokens=ENGINE.saturation_tokens,
        )

    roles = {"prefill": counts.prefill, "decode": counts.decode, "mixed": counts.mixed}
    groups = tuple(group(role, count) for role, count in roles.items())
    spec = FleetSpec(groups=groups, link=LINK, kv_bytes_per_token=KV_BYTES)
    return simulate_fleet(spec, [arrivals], SLO_, seconds=float(arrivals.times_s[-1]))


@pytest.mark.parametrize(
    ("counts", "rate", "points"),
    [
        (WorkerCounts(prefill=1, decode=1, mixed=0), 4.0, 2.0),
        (WorkerCounts(prefill=1, decode=1, mixed=0), 8.0, 3.0),
        (WorkerCounts(prefill=3, decode=2, mixed=0), 20.0, 3.0),
        # Half of these are late: there it counts that production reorders by slack.
        (WorkerCounts(prefill=0, decode=0, mixed=1), 4.0, 12.0),
        (WorkerCounts(prefill=0, decode=0, mixed=3), 11.0, 4.0),
    ],
)
def test_attainment_and_latencies_agree(counts: WorkerCounts, rate: float, points: float) -> None:
    arrivals = load(rate, 600, seed=int(rate))
    records, day = production(arrivals, counts), compiled(arrivals, counts)
    measured = sum(record.met() for record in records) / len(records)
    assert 100 * day.attainment == pytest.approx(100 * measured, abs=points)
    ttft = float(np.mean([record.ttft for record in records if record.ttft is not None]))
    assert day.mean_ttft_s == pytest.approx(ttft, rel=0.35)
    tpots = [record.tpot for record in records if record.tpot is not None]
    assert day.overall(0.5)[1] == pytest.approx(float(np.median(tpots)), rel=0.35)
