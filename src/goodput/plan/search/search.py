"""The whole search: races, then the few best in detail, then the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from goodput.core.slo import SLO
from goodput.plan.search.answer import PlanAnswer, PlanRow, PrunedRow
from goodput.plan.search.candidate import KINDS, Candidate
from goodput.plan.search.crew import Crew
from goodput.plan.search.demand import Demand
from goodput.plan.search.detail import Closer, look_closer
from goodput.plan.search.enumerate import (
    Space,
    aggregated,
    disaggregated,
    hybrid,
    same_node,
    step_variants,
)
from goodput.plan.search.question import Question
from goodput.plan.search.race import Race
from goodput.plan.search.verdict import infeasible, verdicts

# What is being done, how much of it is done, and of how much.
Progress = Callable[[str, int, int], None]

_OTHER_SAMPLES = 6


def search(
    question: Question, *, processes: int | None = None, progress: Progress = lambda *_: None
) -> PlanAnswer:
    """Answer the question with at most ``processes`` processes (None: as many as there are cores).

    The answer depends on the question alone. Ctrl-C ends it and its processes.
    """
    began = time.monotonic()
    demand = question.sample(0)
    with Crew(processes) as crew:
        needed = None
        if question.rate is not None:
            needed = _fewest(question, question.rate, demand, crew, progress)
        budget = needed or question.budget
        race = _race(question.space(budget), demand, question.slo, crew, progress)
        rows = _rows(race, question, demand, crew, progress)
    ranges, crossover = verdicts(_best_of_kinds(rows), question.slo) if rows else ([], None)
    profile = question.profile
    return PlanAnswer(
        profile=profile.name,
        model=profile.model,
        machine=profile.machine,
        origin=profile.origin,
        source=profile.source,
        uncertainty=profile.uncertainty,
        accelerator=profile.accelerator,
        node=question.node,
        workload=demand.name,
        requests=demand.requests,
        slo=question.slo,
        budget=budget,
        rate=question.rate,
        needed=needed,
        candidates=race.judged
        + len(race.impossible)
        + sum(one.proof is not None for one in race.pruned),
        judged=race.judged,
        seconds=time.monotonic() - began,
        plans=rows,
        verdicts=ranges,
        crossover=crossover,
        infeasible=None if rows else infeasible(race.impossible, question.slo, budget),
        pruned=[
            PrunedRow(
                label=one.candidate.title,
                kind=one.candidate.kind,
                constraint=one.constraint,
                rate=one.rate,
                proof=one.proof,
                words=one.words,
            )
            for one in race.pruned
        ],
    )


def _race(space: Space, demand: Demand, slo: SLO, crew: Crew, progress: Progress) -> Race:
    race = Race(demand, slo, crew)
    race.run(_first(space), partial(progress, "splits of the budget"))
    both = [
        candidate
        for apart in race.standings.get("disaggregated", [])
        for mixed in space.workers
        for candidate in hybrid(space, mixed, apart.candidate)
    ]
    race.run(both, partial(progress, "hybrids"))
    tuned = [
        variant
        for kind in KINDS
        if (best := race.best(kind)) is not None
        for variant in step_variants(best.candidate)
    ]
    race.run(tuned, partial(progress, "chunks and step budgets"))
    return race


def _first(space: Space) -> list[Candidate]:
    return [*aggregated(space), *disaggregated(space), *same_node(space)]


def _fewest(
    question: Question, rate: float, demand: Demand, crew: Crew, progress: Progress
) -> int | None:
    """The fewest accelerators of which a plan holds ``rate``; None when the budget does not do."""
    least = min(worker.accelerators for worker in question.space(question.budget).workers)
    lacking, holding = least - 1, None
    trying = question.budget
    while lacking + 1 < (holding or question.budget + 1):
        race = Race(demand, question.slo, crew, places=1)
        stage = f"do {trying} hold {rate:g} req/s?"
        race.run(_first(question.space(trying)), partial(progress, stage), floor=rate)
        if race.winner is not None:
            holding = trying
        else:
            lacking = trying
        if holding is None:
            return None
        trying = (lacking + holding) // 2
    return holding


def _rows(
    race: Race, question: Question, demand: Demand, crew: Crew, progress: Progress
) -> list[PlanRow]:
    """The standings in detail, the best first; SLO scales for the best of each kind."""
    standings = race.ordered()
    others = tuple(question.sample(seed) for seed in range(1, _OTHER_SAMPLES + 1))
    jobs = [
        Closer(
            standing=standing,
            demand=demand,
            others=others,
            slo=question.slo,
            uncertainty=question.profile.uncertainty,
            curve=standing == race.best(standing.candidate.kind),
        )
        for standing in standings
    ]
    rows = []
    for row in crew.each(look_closer, jobs):
        rows.append(row)
        progress("the best in detail", len(rows), len(jobs))
    return sorted(rows, key=lambda row: (-row.goodput, row.accelerators))


def _best_of_kinds(rows: list[PlanRow]) -> list[PlanRow]:
    found: dict[str, PlanRow] = {}
    for row in rows:
        found.setdefault(row.kind, row)
    return list(found.values())
