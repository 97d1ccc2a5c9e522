"""What holds a plan back: whatever would help most if there were half as much more of it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import msgspec

from goodput.plan.profile.schema import Line, Link, WorkerProfile
from goodput.plan.search.candidate import Candidate, Constraint
from goodput.plan.search.demand import Demand
from goodput.plan.search.judge import FleetJudge
from goodput.plan.search.race import Standing

_MORE = 1.5
# Multiples of the goodput, where the promise is broken and only the right relief restores it.
_BEYOND = (1.05, 1.25, 1.5, 2.0)
# At so much of its limit, theory has already said what holds it back.
_AT_LIMIT = 0.97

_PROMPT_TERMS = ("prefill_token_s", "prefill_pair_s")
_ANSWER_TERMS = ("decode_row_s", "context_token_s")


def binding_constraint(standing: Standing, judge: FleetJudge, demand: Demand) -> Constraint:
    """Which of the four would raise attainment most beyond the goodput."""
    if standing.goodput >= _AT_LIMIT * standing.limit.rate:
        return standing.limit.constraint
    choices: tuple[Constraint, ...] = get_args(Constraint)

    def kept(constraint: Constraint) -> float:
        eased = relieved(standing.candidate, constraint, _MORE)
        rates = (standing.goodput * factor for factor in _BEYOND)
        return sum(judge.attainment(eased, rate, demand) for rate in rates)

    return max(choices, key=kept)


def relieved(candidate: Candidate, constraint: Constraint, factor: float) -> Candidate:
    """The candidate with ``factor`` times as much of what ``constraint`` names."""
    fleet = candidate.fleet
    if constraint == "transfer":
        link = Link(base_s=fleet.link.base_s / factor, bytes_per_s=fleet.link.bytes_per_s * factor)
        return replace(candidate, fleet=replace(fleet, link=link))
    groups = tuple(
        replace(group, worker=_relieved_worker(group.worker, constraint, factor))
        for group in fleet.groups
    )
    return replace(candidate, fleet=replace(fleet, groups=groups))


def sped(candidate: Candidate, factor: float) -> Candidate:
    """The candidate with every step ``factor`` times as fast: the profile's error, either way."""
    return relieved(relieved(candidate, "prefill queue", factor), "decode step", factor)


def _relieved_worker(worker: WorkerProfile, constraint: Constraint, factor: float) -> WorkerProfile:
    if constraint == "memory":
        return msgspec.structs.replace(worker, kv_tokens=int(worker.kv_tokens * factor))
    if constraint == "prefill queue":
        return msgspec.structs.replace(
            worker,
            prefill=_divided(worker.prefill, ("base_s", *_PROMPT_TERMS), factor),
            mixed=_divided(worker.mixed, _PROMPT_TERMS, factor),
        )
    large = worker.large_decode
    terms = ("base_s", *_ANSWER_TERMS)
    return msgspec.structs.replace(
        worker,
        decode=_divided(worker.decode, terms, factor),
        large_decode=None if large is None else _divided(large, terms, factor),
        mixed=_divided(worker.mixed, terms, factor),
    )


def _divided(line: Line, terms: tuple[str, ...], factor: float) -> Line:
    return msgspec.structs.replace(line, **{name: getattr(line, name) / factor for name in terms})
