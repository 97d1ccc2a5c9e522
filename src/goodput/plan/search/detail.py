"""The few best plans in detail: how sure, what holds them back, and how they bend."""

from __future__ import annotations

from dataclasses import dataclass

from goodput.core.slo import SLO
from goodput.plan.search.answer import PlanRow, ScalePoint, Team
from goodput.plan.search.bounds import lowest_limit
from goodput.plan.search.candidate import Candidate
from goodput.plan.search.demand import Demand
from goodput.plan.search.goodput import highest_rate, with_interval
from goodput.plan.search.judge import FleetJudge
from goodput.plan.search.race import Standing
from goodput.plan.search.what_if import binding_constraint, sped

SCALES = (0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 3.0)
_FIRST_GUESS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Closer:
    """Look closer at a standing of a race over ``demand``.

    ``others`` are further samples of the same workload, for the interval; ``uncertainty`` is the
    profile's. ``curve``: find the goodput at other SLO scales as well.
    """

    standing: Standing
    demand: Demand
    others: tuple[Demand, ...]
    slo: SLO
    uncertainty: float
    curve: bool


def look_closer(job: Closer) -> PlanRow:
    """The standing as a row of the answer."""
    standing, slo, demand = job.standing, job.slo, job.demand
    candidate, limit = standing.candidate, standing.limit
    judge = FleetJudge(slo)
    known = with_interval(
        candidate, judge, job.others, slo, goodput=standing.goodput, limit=limit.rate
    )
    # The median over all windows; the race itself saw but one sample of requests.
    goodput = known.rate if known.censored == "none" else standing.goodput
    factor = job.uncertainty
    wide = factor > 1
    return PlanRow(
        kind=candidate.kind,
        label=candidate.label,
        teams=_teams(candidate),
        cells=candidate.cells,
        placement=candidate.placement,
        accelerators=candidate.accelerators,
        goodput=goodput,
        low=min(known.low, goodput),
        high=max(known.high, goodput),
        constraint=binding_constraint(standing, judge, demand),
        limit=limit.rate,
        limit_words=limit.words,
        slow=_goodput(sped(candidate, 1 / factor), demand, slo) if wide else None,
        fast=_goodput(sped(candidate, factor), demand, slo) if wide else None,
        scales=[
            ScalePoint(scale=scale, goodput=_goodput(candidate, demand, slo.scaled(scale)))
            for scale in (SCALES if job.curve else ())
        ],
    )


def _teams(candidate: Candidate) -> list[Team]:
    return [
        Team(
            role=group.role,
            count=group.count * candidate.cells,
            tensor=group.worker.tensor,
            pipeline=group.worker.pipeline,
            max_sequences=group.max_sequences,
            token_budget=group.token_budget,
            saturation_tokens=group.saturation_tokens,
            kv_tokens=group.worker.kv_tokens,
        )
        for group in candidate.fleet.groups
    ]


def _goodput(candidate: Candidate, demand: Demand, slo: SLO) -> float:
    limit = lowest_limit(candidate, demand, slo)
    if limit.rate <= 0:
        return 0.0
    judge = FleetJudge(slo)
    return highest_rate(
        lambda rate: judge.attainment(candidate, rate, demand) >= slo.target,
        start=limit.rate * _FIRST_GUESS,
        limit=limit.rate,
        tolerance=0.02,
    )
