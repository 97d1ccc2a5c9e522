"""What queueing theory says of a candidate before anything is simulated, in words as in figures.

A limit is a rate that no schedule can hold for long; a candidate whose lowest limit is under what
another one was seen to hold is pruned, and the sentence says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from goodput.core.slo import SLO
from goodput.plan.queueing import mdc_wait_at_most
from goodput.plan.scale.fleet import Group
from goodput.plan.search.candidate import Candidate, Constraint
from goodput.plan.search.demand import Demand
from goodput.plan.search.work import (
    decode_s,
    held_token_s,
    prefill_s,
    tpot_alone,
    transfer_s,
    ttft_alone,
)

# So many times as many prompts as may be late must be late for M/D/1 to exclude a plan: it is close
# to what a simulation shows, but no proof.
_CLEARLY = 1.25


@dataclass(frozen=True, slots=True)
class Limit:
    """No rate (requests/s, of all cells) at or above ``rate`` can last; 0: none can at all."""

    constraint: Constraint
    rate: float
    words: str


def lowest_limit(candidate: Candidate, demand: Demand, slo: SLO) -> Limit:
    """The tightest of all limits of a candidate."""
    impossible = impossibility(candidate, demand, slo)
    if impossible is not None:
        return impossible
    return min(_limits(candidate, demand, slo), key=lambda limit: limit.rate)


def impossibility(candidate: Candidate, demand: Demand, slo: SLO) -> Limit | None:
    """Why too many requests would miss even with the whole candidate to themselves, if so."""
    paths = [
        _path_misses(candidate, prompt, answer, demand, slo) for prompt, answer in _paths(candidate)
    ]
    possible = [limit for limit in paths if limit is None]
    return None if possible else paths[0]


def waits_too_long(candidate: Candidate, rate: float, demand: Demand, slo: SLO) -> Limit | None:
    """Whether prompts queue beyond the TTFT bound at ``rate``, by M/D/1 at its most generous.

    All prefill workers are taken as one that is as many times as fast, prompts as equally long and
    the shortest one's own time as everybody's. Poisson arrivals only; None where nothing is said.
    """
    group = candidate.group("prefill")
    if group is None or slo.ttft is None or not demand.memoryless or candidate.kind == "hybrid":
        return None
    each = rate / candidate.cells
    service = prefill_s(group, demand) / group.count
    slack = slo.ttft - float(ttft_alone(group, candidate.fleet.frontend_s, demand).min())
    share = _waits_at_most(round(slack, 9), round(each, 9), round(service, 12))
    if 1 - share < _CLEARLY * (1 - slo.target):
        return None
    return Limit(
        "prefill queue",
        rate,
        f"at {rate:.3g} req/s its prompts queue: an M/D/1 queue with {_count(group)} as one server "
        f"starts only {share:.0%} of them in time for a TTFT of {slo.ttft * 1e3:.4g} ms",
    )


@lru_cache(maxsize=4096)
def _waits_at_most(seconds: float, rate: float, service: float) -> float:
    return 0.0 if seconds < 0 else mdc_wait_at_most(seconds, rate, service, 1)


def _limits(candidate: Candidate, demand: Demand, slo: SLO) -> list[Limit]:
    cells = candidate.cells
    prefill, decode, mixed = (candidate.group(role) for role in ("prefill", "decode", "mixed"))
    if mixed is not None:
        together = _of_mixed(mixed, cells, demand, slo)
        if prefill is None or decode is None:
            return [together, *_of_memory(mixed, cells, demand)]
        apart = min(
            (
                _of_prefill(prefill, cells, demand),
                _of_decode(decode, cells, demand, slo),
                _of_transfer(candidate, demand),
            ),
            key=lambda limit: limit.rate,
        )
        words = f"{together.words}; and beside them {apart.words}"
        return [Limit(apart.constraint, together.rate + apart.rate, words)]
    assert prefill is not None and decode is not None
    return [
        _of_prefill(prefill, cells, demand),
        _of_decode(decode, cells, demand, slo),
        _of_transfer(candidate, demand),
        *_of_memory(decode, cells, demand),
    ]


def _of_prefill(group: Group, cells: int, demand: Demand) -> Limit:
    each = prefill_s(group, demand)
    rate = cells * group.count / each
    return Limit(
        "prefill queue",
        rate,
        f"a prompt takes a prefill worker at least {_ms(each)}, so {_count(group, cells)} are "
        f"fully busy at {rate:.3g} req/s and the queue grows without end",
    )


def _of_decode(group: Group, cells: int, demand: Demand, slo: SLO) -> Limit:
    each = decode_s(group, demand, slo)
    rate = cells * group.count / each if each > 0 else math.inf
    return Limit(
        "decode step",
        rate,
        f"an answer takes a decode worker at least {_ms(each)}"
        + ("" if slo.tpot is None else f" in batches that keep TPOT ≤ {slo.tpot * 1e3:.4g} ms")
        + f", so {_count(group, cells)} are fully busy at {rate:.3g} req/s",
    )


def _of_mixed(group: Group, cells: int, demand: Demand, slo: SLO) -> Limit:
    prompt, answer = prefill_s(group, demand), decode_s(group, demand, slo)
    rate = cells * group.count / (prompt + answer)
    return Limit(
        "prefill queue" if prompt > answer else "decode step",
        rate,
        f"a request takes a mixed worker at least {_ms(prompt)} for its prompt and {_ms(answer)} "
        f"for its answer, so {_count(group, cells)} are fully busy at {rate:.3g} req/s",
    )


def _of_memory(group: Group, cells: int, demand: Demand) -> list[Limit]:
    held = held_token_s(group, demand)
    if held <= 0:
        return []
    rate = cells * group.count * group.worker.kv_tokens / held
    return [
        Limit(
            "memory",
            rate,
            f"an answer holds at least {held:.3g} token-seconds of KV, so the "
            f"{group.worker.kv_tokens} tokens of each of {_count(group, cells)} are full at "
            f"{rate:.3g} req/s",
        )
    ]


def _of_transfer(candidate: Candidate, demand: Demand) -> Limit:
    """Each prefill worker sends over one link, and each decode worker receives over one."""
    fleet = candidate.fleet
    counts = [group.count for group in fleet.groups if group.role != "mixed"]
    links = candidate.cells * min(counts)
    each = float(demand.prompts.mean()) * fleet.kv_bytes_per_token
    rate = links * fleet.link.bytes_per_s / each if each > 0 else math.inf
    return Limit(
        "transfer",
        rate,
        f"a prompt's KV is {each / 1e6:.3g} MB on average, so {links} links of "
        f"{fleet.link.bytes_per_s / 1e9:.3g} GB/s are full at {rate:.3g} req/s",
    )


def _paths(candidate: Candidate) -> list[tuple[Group, Group]]:
    """Which groups may do a request's prompt and its answer."""
    prefill, decode, mixed = (candidate.group(role) for role in ("prefill", "decode", "mixed"))
    paths = [(mixed, mixed)] if mixed is not None else []
    if prefill is not None and decode is not None:
        paths.append((prefill, decode))
    return paths


def _path_misses(
    candidate: Candidate, prompt: Group, answer: Group, demand: Demand, slo: SLO
) -> Limit | None:
    fleet = candidate.fleet
    fits = demand.prompts + demand.outputs <= answer.worker.kv_tokens // answer.lanes
    ttft = ttft_alone(prompt, fleet.frontend_s, demand)
    tpot = tpot_alone(answer, fleet, demand)
    e2e = ttft + tpot * demand.decode_steps
    in_time = ttft <= (slo.ttft or np.inf)
    in_pace = tpot <= (slo.tpot or np.inf)
    met = fits & in_time & in_pace & (e2e <= (slo.e2e or np.inf))
    if met.mean() >= slo.target:
        return None
    whole = demand.prompts + demand.outputs
    if fits.mean() < slo.target:
        needed = int(np.quantile(whole, slo.target, method="higher"))
        return Limit(
            "memory",
            0.0,
            f"a request at the {slo.target:.0%} quantile needs KV for {needed} tokens, but "
            f"{answer.worker.kv_tokens // answer.lanes} fit into a worker ({_ways(answer)})",
        )
    if in_time.mean() <= min(in_pace.mean(), slo.target):
        return _late(prompt, ttft, demand, slo)
    if in_pace.mean() < slo.target and answer.role == "decode":
        moved = transfer_s(fleet, demand.prompts) / np.maximum(demand.decode_steps, 1)
        if (tpot - moved <= (slo.tpot or np.inf)).mean() >= slo.target:
            return Limit(
                "transfer",
                0.0,
                f"moving a prompt's KV at {fleet.link.bytes_per_s / 1e9:.3g} GB/s adds up to "
                f"{_ms(float(np.quantile(moved, slo.target)))} a token, more than a TPOT of "
                f"{_ms(slo.tpot or 0.0)} leaves",
            )
    worst = float(np.quantile(tpot, slo.target))
    return Limit(
        "decode step",
        0.0,
        f"with the worker to itself ({_ways(answer)}) an answer still takes up to {_ms(worst)} a "
        f"token and {_ms(float(np.quantile(e2e, slo.target)))} in all, and only {met.mean():.0%} "
        f"of the requests keep {slo}",
    )


def _late(prompt: Group, ttft: np.ndarray, demand: Demand, slo: SLO) -> Limit:
    worst = float(np.quantile(ttft, slo.target))
    tokens = int(np.quantile(demand.prompts, slo.target))
    return Limit(
        "prefill queue",
        0.0,
        f"with the worker to itself ({_ways(prompt)}) a prompt of {tokens} tokens, which must "
        f"still be in time at a target of {slo.target:.0%}, takes {_ms(worst)}, over the TTFT "
        f"bound of {_ms(slo.ttft or 0.0)}",
    )


def _ways(group: Group) -> str:
    worker = group.worker
    return f"tensor {worker.tensor}, pipeline {worker.pipeline}"


def _count(group: Group, cells: int = 1) -> str:
    count = group.count * cells
    name = f"{group.role} worker{'s' * (count > 1)}"
    return f"{count} {name} ({_ways(group)})"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 10 else f"{seconds:.3g} s"
