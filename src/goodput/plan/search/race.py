"""The race: candidates are judged in rounds, and only those that can still win are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from goodput.core.slo import SLO
from goodput.plan.search.bounds import Limit, lowest_limit, waits_too_long
from goodput.plan.search.candidate import Candidate, Constraint, Kind, Placement
from goodput.plan.search.crew import Crew
from goodput.plan.search.demand import Demand
from goodput.plan.search.goodput import Task, find

# Thresholds move between rounds only, so that the outcome depends on nothing but the candidates.
# The first rounds are short: until a few were judged there is nothing to measure others by.
_FIRST_ROUND = 4
_LONGEST_ROUND = 32

Seen = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate whose goodput (requests/s) was found; ``limit`` is what theory allows it."""

    candidate: Candidate
    goodput: float
    limit: Limit


@dataclass(frozen=True, slots=True)
class Pruned:
    """A candidate that was left out, and why, in a sentence.

    ``rate`` is what it would have had to hold. ``proof``: the lowest rate that theory excludes, or
    None where a simulation at ``rate`` showed it.
    """

    candidate: Candidate
    rate: float
    constraint: Constraint
    proof: float | None
    words: str


@dataclass
class Race:
    """Keeps the ``places`` best of each kind."""

    demand: Demand
    slo: SLO
    crew: Crew
    places: int = 3
    standings: dict[Kind, list[Standing]] = field(default_factory=dict)
    impossible: list[Limit] = field(default_factory=list)
    pruned: list[Pruned] = field(default_factory=list)
    entered: int = 0
    judged: int = 0

    def run(self, candidates: Iterable[Candidate], seen: Seen, floor: float = 0.0) -> None:
        """Let these take part, the most promising first; all must hold more than ``floor``."""
        entries = []
        for candidate in candidates:
            self.entered += 1
            limit = lowest_limit(candidate, self.demand, self.slo)
            if limit.rate > 0:
                entries.append((candidate, limit))
            else:
                self.impossible.append(limit)
        entries.sort(key=lambda entry: (-entry[1].rate, entry[0].label))
        self.crew.prepare(len(entries))
        start, length = 0, _FIRST_ROUND
        while start < len(entries):
            self._round(entries[start : start + length], floor)
            start, length = start + length, min(2 * length, _LONGEST_ROUND)
            seen(min(start, len(entries)), len(entries))

    def best(self, kind: Kind) -> Standing | None:
        """The best of a kind so far."""
        return next(iter(self.standings.get(kind, [])), None)

    @property
    def winner(self) -> Standing | None:
        """The best of all; of equals the one with fewer accelerators, then the simpler one."""
        return next(iter(self.ordered()), None)

    def ordered(self) -> list[Standing]:
        """All that have a place, the best first."""
        every = (standing for standings in self.standings.values() for standing in standings)
        return sorted(every, key=_rank)

    def _round(self, entries: list[tuple[Candidate, Limit]], floor: float) -> None:
        tasks, limits = [], []
        for candidate, limit in entries:
            bar = max(self._bar(candidate.kind), floor)
            if (pruned := self._prune(candidate, limit, bar)) is not None:
                self.pruned.append(pruned)
            else:
                tasks.append(Task(candidate, self.demand, self.slo, bar, limit.rate))
                limits.append(limit)
        self.judged += len(tasks)
        for task, limit, found in zip(tasks, limits, self.crew.each(find, tasks), strict=True):
            if found.goodput:
                self._place(Standing(task.candidate, found.goodput, limit))
            elif found.goodput is None:
                self.pruned.append(
                    Pruned(
                        task.candidate,
                        task.floor,
                        limit.constraint,
                        None,
                        f"simulated at {task.floor:.3g} req/s, {task.candidate.title} keeps only "
                        f"{found.at_floor:.1%} of the requests within the SLO",
                    )
                )

    def _bar(self, kind: Kind) -> float:
        """What one more of a kind must hold to be among its best."""
        standings = self.standings.get(kind, [])
        return standings[-1].goodput if len(standings) == self.places else 0.0

    def _prune(self, candidate: Candidate, limit: Limit, bar: float) -> Pruned | None:
        if limit.rate > bar > 0:
            waits = waits_too_long(candidate, bar, self.demand, self.slo)
            if waits is None:
                return None
            limit = waits
        elif bar <= 0:
            return None
        words = f"{candidate.title}: {limit.words}, and others keep the SLO at {bar:.3g} req/s"
        return Pruned(candidate, bar, limit.constraint, limit.rate, words)

    def _place(self, standing: Standing) -> None:
        """Of the same workers with other limits of a step only the best has a place."""
        same = _built(standing)
        all_ = sorted([*self.standings.get(standing.candidate.kind, []), standing], key=_rank)
        first = next(one for one in all_ if _built(one) == same)
        kept = [one for one in all_ if one is first or _built(one) != same]
        self.standings[standing.candidate.kind] = kept[: self.places]


def _built(standing: Standing) -> tuple[str, Placement]:
    return standing.candidate.label, standing.candidate.placement


def _rank(standing: Standing) -> tuple[float, int, int, int, str]:
    candidate = standing.candidate
    stages = max(group.worker.pipeline for group in candidate.fleet.groups)
    simplicity = candidate.accelerators, stages, candidate.workers, candidate.label
    return -standing.goodput, *simplicity
