"""A run's measured requests, pooled: all windows of one endpoint at one rate are one group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from goodput.bench.summary import BenchSummary, StepSummary
from goodput.core.percentiles import wilson_interval
from goodput.core.record import RequestRecord

# TTFT is of every request that got a token, the others of those that ended well, as in summaries.
LATENCIES: dict[str, Callable[[RequestRecord], float | None]] = {
    "ttft": lambda record: record.ttft,
    "tpot": lambda record: record.tpot if record.status == "ok" else None,
    "e2e": lambda record: record.e2e if record.status == "ok" else None,
}


@dataclass(slots=True)
class Group:
    """``records`` are the measured ones; ``seconds`` is the length of all its windows together."""

    endpoint: str
    rate: float
    records: list[RequestRecord] = field(default_factory=list)
    seconds: float = 0.0
    blame: Counter[str] = field(default_factory=Counter)

    @property
    def label(self) -> str:
        """``2 req/s``, and of which endpoint where there are several."""
        rate = f"{self.rate:.4g} req/s"
        return f"{self.endpoint}, {rate}" if self.endpoint else rate

    @property
    def met(self) -> int:
        """Requests that kept their own SLO."""
        return sum(record.met() for record in self.records)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the attainment."""
        return wilson_interval(self.met, len(self.records))

    @property
    def goodput(self) -> float:
        """Requests that met, per second."""
        return self.met / self.seconds

    @property
    def offered(self) -> float:
        """Requests that were scheduled, per second."""
        return len(self.records) / self.seconds

    @property
    def attainment(self) -> float:
        """The share of its records (at least one) that kept their own SLO."""
        return self.met / len(self.records)


def groups_of(summary: BenchSummary, records: Sequence[RequestRecord]) -> list[Group]:
    """The groups that have requests, by endpoint in the summary's order, then by rate."""
    groups: dict[tuple[str, float], Group] = {}
    for step in summary.steps:
        figures = step.figures
        group = groups.setdefault(
            (step.endpoint, figures.rate), Group(endpoint=step.endpoint, rate=figures.rate)
        )
        group.records += measured(step, records)
        group.seconds += figures.window.seconds
        group.blame.update(figures.blame)
    order = [endpoint.name for endpoint in summary.endpoints]
    return sorted(
        (group for group in groups.values() if group.records),
        key=lambda group: (order.index(group.endpoint), group.rate),
    )


def measured(step: StepSummary, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """The records of one step that count."""
    return step.figures.window.measured(step.of(records))


def target_of(summary: BenchSummary) -> float:
    """The attainment that was promised; of several the strictest. There must be steps."""
    return max(step.figures.target for step in summary.steps)


def spread(groups: Sequence[Group], most: int) -> list[Group]:
    """At most ``most`` of them, evenly spread from the first to the last."""
    if len(groups) <= most:
        return list(groups)
    return [groups[round(index * (len(groups) - 1) / (most - 1))] for index in range(most)]


def bounds_of(records: Iterable[RequestRecord], name: str) -> list[float]:
    """The distinct bounds on ``ttft``, ``tpot`` or ``e2e``, in seconds, upwards."""
    bounds = {getattr(record.slo, name) for record in records if record.slo is not None}
    return sorted(bound for bound in bounds if bound is not None)
