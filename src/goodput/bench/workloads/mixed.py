"""``mixed``: several classes at once, each with its own share of the requests and its own SLO."""

from __future__ import annotations

from goodput.bench.workloads.base import PlannedRequest, Workload, generator
from goodput.core.slo import SLO


class MixedWorkload(Workload):
    """Draws each request's class by its share; classes are of single requests.

    ``shares`` need not sum to 1.
    """

    slo = SLO()

    def __init__(self, name: str, shares: dict[Workload, float]) -> None:
        self.name = name
        self._parts = tuple(shares)
        self._shares = tuple(shares.values())

    def request(self, seed: int, index: int) -> PlannedRequest:
        part = generator(self.name, seed, index).choices(self._parts, self._shares)[0]
        return part.request(seed, index)

    def classes(self) -> tuple[Workload, ...]:
        return self._parts
