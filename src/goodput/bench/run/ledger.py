"""What a verb has found so far: complete after every step, so that it can stop at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from goodput.bench.run.runner import Outcome
from goodput.bench.run.session import Session
from goodput.bench.summary import BenchSummary, StepSummary, Verb
from goodput.core.record import RequestRecord


class Ledger(NamedTuple):
    """The summary of a run and the records that it speaks of, warm-ups included, in order."""

    summary: BenchSummary
    records: list[RequestRecord]

    @classmethod
    def open(cls, verb: Verb, sessions: Mapping[str, Session]) -> Ledger:
        """An empty one about ``sessions`` (of one load) by name; a single one needs none: ""."""
        first = next(iter(sessions.values()))
        return cls(
            BenchSummary(
                verb=verb,
                endpoints=[session.describe(name) for name, session in sessions.items()],
                workload=first.load.workload.name,
                arrivals=first.load.arrivals.label,
                seed=first.load.seed,
                origin=first.origin,
            ),
            [],
        )

    def enter(self, session: Session, outcome: Outcome, name: str = "") -> StepSummary | None:
        """Judge one step; None when it was stopped before anything was measured."""
        known = len(self.summary.steps)
        self.records.extend(outcome.records)
        self.summary.add(outcome, None, session.load.drain_s, endpoint=name)
        return self.summary.steps[known] if len(self.summary.steps) > known else None
