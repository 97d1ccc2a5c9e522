"""From a workload of the bench to the demand that a search needs: arrivals and lengths alone."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from goodput.bench.arrivals import Arrivals, ClosedLoop
from goodput.bench.arrivals.processes import Poisson
from goodput.bench.workloads.base import Timed, Workload, generator
from goodput.bench.workloads.prompts import PromptWorkload
from goodput.bench.workloads.text import lognormal
from goodput.core.errors import UsageError
from goodput.plan.search.demand import Demand
from goodput.plan.search.goodput import Sample

# The bench's texts are of plain words, about a token each, and punctuation.
_TOKEN = re.compile(r"\w+|[^\w\s]")
# What a chat template puts around a message of the user, and before it.
_TEMPLATE_TOKENS = 12


def workload_sample(
    workload: Workload,
    arrivals: Arrivals,
    *,
    requests: int,
    seed: int = 0,
    prompt_tokens: float | None = None,
    output_tokens: float | None = None,
) -> Sample:
    """A sample a seed, of about ``requests`` requests; other mean lengths where they are given.

    A turn that follows another is due when the plan expects it, and computes what it adds: the rest
    is in the prefix cache. Raises UsageError for a workload that has no arrivals of its own.
    """
    if isinstance(arrivals, ClosedLoop):
        raise UsageError(
            "planning needs a workload with arrivals: in a closed loop the server sets the rate"
        )
    if requests < 1:
        raise UsageError(f"--requests must be 1 or more, not {requests}")

    @lru_cache(maxsize=32)
    def sample(number: int) -> Demand:
        memoryless = isinstance(arrivals, Poisson)
        if isinstance(workload, PromptWorkload):
            times = arrivals.times(1.0, 0.0, float(requests), seed + number)
            demand = _drawn(workload, times, seed + number, memoryless=memoryless)
        else:
            plan = workload.plan(1.0, 0.0, float(requests), seed + number, arrivals)
            demand = _planned(workload, plan, memoryless=memoryless)
        if prompt_tokens is None and output_tokens is None:
            return demand
        return demand.resized(
            prompt_tokens or float(demand.prompts.mean()),
            output_tokens or float(demand.outputs.mean()),
        )

    return sample


def _drawn(workload: PromptWorkload, times: list[float], seed: int, *, memoryless: bool) -> Demand:
    """The lengths that the workload's requests of this seed have, without writing their texts."""
    prompts, outputs = [], []
    for index in range(len(times)):
        rng = generator(workload.name, seed, index)
        prompts.append(_TEMPLATE_TOKENS + lognormal(rng, workload.prompt))
        outputs.append(lognormal(rng, workload.answer))
    return Demand(
        name=workload.name,
        times_s=np.array(times),
        prompts=np.array(prompts, np.int64),
        outputs=np.array(outputs, np.int64),
        memoryless=memoryless,
    )


def _planned(workload: Workload, plan: list[Timed], *, memoryless: bool) -> Demand:
    plan = sorted(plan, key=lambda timed: timed.due)
    return Demand(
        name=workload.name,
        times_s=np.array([timed.due for timed in plan]),
        prompts=np.array([_prompt_tokens(timed) for timed in plan], np.int64),
        outputs=np.array([max(1, timed.request.max_tokens) for timed in plan], np.int64),
        memoryless=memoryless,
    )


def _prompt_tokens(timed: Timed) -> int:
    texts = (message.content for message in timed.request.messages)
    return _TEMPLATE_TOKENS + sum(len(_TOKEN.findall(text)) for text in texts)
