"""Plans again for what a running server sees: what it would change, and why.

:func:`advise` is a pure function of the traffic, the workers that are there and the profile. It
compares by simulation, and says too what the server's own planner would do (``replan.py``).
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from goodput.bench.wire.address import base_url, reason_of
from goodput.control.planner.policy import Split
from goodput.control.planner.traffic import Traffic as Seen
from goodput.core.config import Role
from goodput.core.errors import UsageError
from goodput.plan.replan import ProfileCosts, planned
from goodput.plan.scale.fleet import Group
from goodput.plan.search.bounds import lowest_limit
from goodput.plan.search.candidate import Candidate
from goodput.plan.search.enumerate import Space, aggregated, disaggregated
from goodput.plan.search.judge import FleetJudge
from goodput.plan.search.question import Question

# Fewer requests than this between two looks say nothing.
FEWEST_REQUESTS = 8
# A change has to be worth it: so much more of the requests within their SLO, in shares.
_WORTH = 0.02
_TIMEOUT_S = 5.0

_ROLES: tuple[Role, ...] = ("prefill", "decode", "mixed")

# What a look reads of /metrics.
_COUNTERS = {
    "ended": "goodput_request_duration_seconds_count",
    "prompt_tokens": "goodput_prompt_tokens_total",
    "cached_tokens": "goodput_cached_tokens_total",
    "output_tokens": "goodput_generated_tokens_total",
}
_SLO_COUNTER = "goodput_slo_requests_total"


class _Worker(msgspec.Struct):
    role: Role
    state: str


class _Health(msgspec.Struct):
    model: str
    workers: list[_Worker]


@dataclass(frozen=True, slots=True)
class Look:
    """What a server said at ``at`` (seconds): its workers by role, and its counters so far."""

    at: float
    model: str
    workers: Mapping[str, int]
    counters: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What came between two looks: requests per second, and tokens per request.

    ``prompt_tokens`` are those that had to be computed; ``attainment`` is None without SLOs.
    """

    requests: float
    rate: float
    prompt_tokens: float
    output_tokens: float
    attainment: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """``change`` is what to run instead, None to leave it; ``words`` say why.

    Shares are of requests that would keep the SLO at the traffic's rate, by simulation. ``planner``
    is the split of the same workers that the server's own planner would come to.
    """

    change: Candidate | None
    now: float
    then: float
    words: str
    planner: Split


def look(url: str, at: float) -> Look:
    """Ask a server for its state. Raises UsageError naming the endpoint that does not answer."""
    root = base_url(url).removesuffix("/v1")
    try:
        health = msgspec.json.decode(_get(f"{root}/health"), type=_Health)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{root}/health is not that of a goodput server: {error}") from None
    ready: dict[str, int] = {}
    for worker in health.workers:
        if worker.state in ("ready", "starting"):
            ready[worker.role] = ready.get(worker.role, 0) + 1
    return Look(at, health.model, ready, _counters(_get(f"{root}/metrics").decode(), root))


def between(before: Look, after: Look) -> Traffic | None:
    """The traffic between two looks; None when it is too little, or the server started anew."""
    grown = {name: after.counters[name] - before.counters[name] for name in after.counters}
    seconds = after.at - before.at
    ended = grown["ended"]
    if ended < FEWEST_REQUESTS or seconds <= 0 or min(grown.values()) < 0:
        return None
    judged = grown["met"] + grown["missed"]
    return Traffic(
        requests=ended,
        rate=ended / seconds,
        prompt_tokens=max(1.0, (grown["prompt_tokens"] - grown["cached_tokens"]) / ended),
        output_tokens=max(1.0, grown["output_tokens"] / ended),
        attainment=grown["met"] / judged if judged else None,
    )


def advise(question: Question, traffic: Traffic, workers: Mapping[str, int]) -> Advice:
    """What to run instead of ``workers`` (by role) for this traffic, within the question's budget.

    The workload gives the shape of the lengths, the traffic their means. Workers keep the
    parallelism of the profile's smallest worker, as a running server has it. Takes milliseconds a
    candidate, and at most ``budget`` of them.
    """
    demand = question.sample(0).resized(traffic.prompt_tokens, traffic.output_tokens)
    space = _one_way(question)
    current = _current(space, workers)
    judge = FleetJudge(question.slo)
    now = judge.attainment(current, traffic.rate, demand)
    # Of equals the first is taken: aggregated ones come first, they are the simpler ones.
    options = [*aggregated(space), *disaggregated(space)]
    shares = [judge.attainment(option, traffic.rate, demand) for option in options]
    then = max(shares)
    best = options[shares.index(then)]
    seen = (
        f"{traffic.rate:.3g} req/s of {traffic.prompt_tokens:.0f} computed prompt tokens and "
        f"{traffic.output_tokens:.0f} answer tokens"
    )
    kept = "" if traffic.attainment is None else f", {traffic.attainment:.0%} of them in time"
    split, own = _own_planner(question, traffic, workers, current)
    if best.label == current.label or then < now + _WORTH:
        words = f"{seen}{kept}: leave {current.label}, predicted to keep {now:.0%} in time{own}"
        return Advice(None, now, now, words, split)
    why = lowest_limit(current, demand, question.slo)
    words = (
        f"{seen}{kept}: change {current.label} to {best.label}, predicted to keep {then:.0%} in "
        f"time instead of {now:.0%}; {current.label} is bound by the {why.constraint}: {why.words}"
        f"{own}"
    )
    return Advice(best, now, then, words, split)


def _own_planner(
    question: Question, traffic: Traffic, workers: Mapping[str, int], current: Candidate
) -> tuple[Split, str]:
    """What the server's planner would make of its workers, and that in words."""
    group = current.fleet.groups[0]
    costs = ProfileCosts(group.worker, traffic.prompt_tokens, traffic.output_tokens)
    seen = Seen(
        requests=round(traffic.requests),
        request_rate=traffic.rate,
        prompt_token_rate=traffic.rate * traffic.prompt_tokens,
        answer_tokens=traffic.output_tokens,
        attainment=traffic.attainment,
        target=question.slo.target,
        tpot=question.slo.tpot,
    )
    most = question.budget // group.worker.accelerators
    split, decisions = planned(seen, workers, costs, group.max_sequences, most)
    steps = ", ".join(f"{step.action} {step.role} ({step.reason})" for step in decisions)
    return split, f"; its own planner would {steps or 'leave it'}"


def _one_way(question: Question) -> Space:
    smallest = min(question.profile.workers, key=lambda worker: worker.accelerators)
    profile = msgspec.structs.replace(question.profile, workers=(smallest,))
    return Space(profile, question.budget, question.node)


def _current(space: Space, workers: Mapping[str, int]) -> Candidate:
    [worker] = space.profile.workers
    roles = [role for role in _ROLES if workers.get(role)]
    if not roles:
        raise UsageError("the server has no workers: there is nothing to compare a plan with")
    example = next(aggregated(space)).fleet.groups[0]
    groups = tuple(
        Group(
            role=role,
            count=workers[role],
            worker=worker,
            max_sequences=example.max_sequences,
            token_budget=example.token_budget,
            saturation_tokens=example.saturation_tokens,
        )
        for role in roles
    )
    return Candidate(space.fleet(groups, space.profile.near))


def _counters(text: str, root: str) -> dict[str, float]:
    from prometheus_client.parser import text_string_to_metric_families

    found = dict.fromkeys([*_COUNTERS, "met", "missed"], 0.0)
    wanted = {sample: name for name, sample in _COUNTERS.items()}
    seen = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in wanted:
                found[wanted[sample.name]] += sample.value
                seen.add(sample.name)
            elif sample.name == _SLO_COUNTER and sample.labels.get("outcome") in found:
                found[sample.labels["outcome"]] += sample.value
    if lacking := set(wanted) - seen:
        raise UsageError(f"{root}/metrics has no {', '.join(sorted(lacking))}")
    return found


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if error.code == 503:  # Starting or draining: it answers all the same.
            return error.read()
        raise UsageError(f"{url} answers {error.code}") from None
    except (urllib.error.URLError, TimeoutError) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        said = reason_of(cause) if isinstance(cause, BaseException) else str(cause)
        raise UsageError(f"cannot reach {url}: {said}") from None
