"""The production code, simulated, is the queue that theory knows where its profile makes it one.

Answers of one token on mixed workers, one prompt a step: each worker is a server and the router's
queue the line before them. The quick tests compare every wait with the queue's own recursion on the
same arrivals, the slow ones the mean of many with the closed form.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from itertools import accumulate

import pytest

from goodput.bench.run.runner import Step
from goodput.bench.workloads.base import PlannedRequest
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.record import RequestRecord
from goodput.core.router_config import RouterConfig
from goodput.plan import queueing
from goodput.plan.profile.schema import Line, Link, Profile, WorkerProfile
from goodput.plan.simulate.arrival import Arrival
from goodput.plan.simulate.play import play

SERVICE_S = 0.05  # Longer prompts would be cut into several steps.
LONGEST = 100_000


def profile_with(prefill: Line) -> Profile:
    """One worker whose prompts take the time of this line."""
    worker = WorkerProfile(prefill=prefill, decode=prefill, mixed=prefill, kv_tokens=1 << 20)
    link = Link(base_s=0.0, bytes_per_s=1e12)
    return Profile(
        name="queue",
        model="none",
        machine="none",
        origin="estimate",
        source="made up",
        accelerator="server",
        workers=(worker,),
        near=link,
        far=link,
        kv_bytes_per_token=1,
        context_length=2 * LONGEST,
    )


def servers(count: int) -> DeploymentConfig:
    """So many workers that take one prompt a step, and none before they are free."""
    engine = EngineConfig(
        token_budget=2 * LONGEST, saturation_tokens=1, kv_tokens=1 << 20, prefix_cache=False
    )
    return DeploymentConfig(
        workers=WorkerCounts(prefill=0, decode=0, mixed=count),
        engine=engine,
        router=RouterConfig(ahead_ms=1e-6, aging_s=80_000.0),
    )


def simulated_waits(
    times: Sequence[float], prompts: Sequence[int], line: Line, count: int
) -> list[float]:
    """Seconds that each request waited before its prompt was begun."""
    arrivals = [
        Arrival(
            RequestRecord(id=f"r{number}", workload="queue", scheduled=time),
            PlannedRequest(messages=(), max_tokens=1),
            [0] * prompt,
        )
        for number, (time, prompt) in enumerate(zip(times, prompts, strict=True))
    ]
    step = Step(rate=len(times) / times[-1], warmup=0.0, duration=times[-1] + 1.0)
    outcome = play(profile_with(line), servers(count), arrivals, step, drain_s=1e5)
    assert outcome.drained
    return [
        (record.ttft or 0.0) - line.base_s - line.prefill_token_s * prompt
        for record, prompt in zip(outcome.records, prompts, strict=True)
    ]


def recursion(times: Sequence[float], services: Sequence[float], count: int) -> list[float]:
    """Kiefer and Wolfowitz: each customer takes the server that is free first."""
    free, waits = [0.0] * count, []
    for time, service in zip(times, services, strict=True):
        begins = max(time, heapq.heappop(free))
        heapq.heappush(free, begins + service)
        waits.append(begins - time)
    return waits


def poisson(rate: float, count: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    return list(accumulate(rng.expovariate(rate) for _ in range(count)))


def exponential_prompts(mean: float, count: int, seed: int) -> list[int]:
    rng = random.Random(f"prompts/{seed}")
    # A chunk of one token would be a decode row to the executor.
    drawn = (round(rng.expovariate(1 / mean)) for _ in range(count))
    return [min(max(tokens, 2), LONGEST) for tokens in drawn]


@pytest.mark.parametrize(("count", "load"), [(1, 0.5), (1, 0.9), (2, 0.8), (5, 0.9)])
def test_equal_prompts_wait_as_in_mdc(count: int, load: float) -> None:
    times = poisson(count * load / SERVICE_S, 1000, seed=count)
    waits = simulated_waits(times, [10] * 1000, Line(base_s=SERVICE_S), count)
    expected = recursion(times, [SERVICE_S] * 1000, count)
    # With several servers two requests may be served in either order: the line is what counts.
    assert sorted(waits) == pytest.approx(sorted(expected), abs=1e-6)


@pytest.mark.parametrize("load", [0.5, 0.85])
def test_exponential_prompts_wait_as_in_mm1(load: float) -> None:
    times, prompts = poisson(load / SERVICE_S, 1000, seed=7), exponential_prompts(2000, 1000, 7)
    line = Line(base_s=0.0, prefill_token_s=SERVICE_S / 2000)
    waits = simulated_waits(times, prompts, line, 1)
    expected = recursion(times, [line.prefill_token_s * prompt for prompt in prompts], 1)
    assert waits == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("count", "load"), [(1, 0.5), (2, 0.7), (5, 0.8)])
def test_the_recursion_has_the_mean_of_the_closed_form(count: int, load: float) -> None:
    """So what is exact for a thousand requests is M/D/c in the long run."""
    rate, many = count * load / SERVICE_S, 400_000
    waits = recursion(poisson(rate, many, seed=1), [SERVICE_S] * many, count)
    expected = queueing.mdc_wait_s(rate, SERVICE_S, count)
    assert sum(waits) / many == pytest.approx(expected, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "load"), [(1, 0.5), (1, 0.8), (2, 0.7), (5, 0.8)])
def test_mean_waits_are_those_of_mdc(count: int, load: float) -> None:
    rate, many = count * load / SERVICE_S, 150_000
    times = poisson(rate, many, seed=count)
    waits = simulated_waits(times, [10] * many, Line(base_s=SERVICE_S), count)
    expected = queueing.mdc_wait_s(rate, SERVICE_S, count)
    assert sum(waits) / many == pytest.approx(expected, rel=0.02)


@pytest.mark.slow
def test_mean_waits_are_those_of_mm1() -> None:
    rate, many, tokens = 0.5 / SERVICE_S, 150_000, 500
    line = Line(base_s=0.0, prefill_token_s=SERVICE_S / tokens)
    prompts = exponential_prompts(tokens, many, seed=3)
    waits = simulated_waits(poisson(rate, many, seed=3), prompts, line, 1)
    assert sum(waits) / many == pytest.approx(queueing.mm1_wait_s(rate, SERVICE_S), rel=0.02)
