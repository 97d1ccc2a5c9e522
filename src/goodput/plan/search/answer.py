"""The answer of a search, as data: what ``goodput plan --json`` prints.

Rates are requests per second of the whole plan, times seconds, shares 0..1.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from goodput.core.config import Role
from goodput.core.slo import SLO
from goodput.plan.search.candidate import Constraint, Kind, Placement

Choice = Literal["aggregated", "disaggregated", "hybrid", "either", "none"]


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` workers of one role, of all cells, each over ``tensor`` times ``pipeline``
    accelerators; the limits are of one worker's engine."""

    role: Role
    count: int
    tensor: int
    pipeline: int
    max_sequences: int
    token_budget: int
    saturation_tokens: int
    kv_tokens: int


class ScalePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The goodput with every bound of the SLO times ``scale``."""

    scale: float
    goodput: float


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One plan. ``goodput`` is the median of the bootstrap, ``low`` and ``high`` its 95 % interval.

    ``limit`` is the rate that theory excludes, ``limit_words`` why. ``slow`` and ``fast`` are the
    goodput if all steps take the profile's ``uncertainty`` times as long, or as short; None where
    the profile claims no such factor. ``scales`` is there for the best plan of each kind.
    """

    kind: Kind
    label: str
    teams: list[Team]
    cells: int
    placement: Placement
    accelerators: int
    goodput: float
    low: float
    high: float
    constraint: Constraint
    limit: float
    limit_words: str
    slow: float | None = None
    fast: float | None = None
    scales: list[ScalePoint] = []

    @property
    def per_accelerator(self) -> float:
        """Goodput over the accelerators that the plan uses."""
        return self.goodput / self.accelerators


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What to choose for loads in ``[low, high)`` requests/s; None is without end."""

    low: float
    high: float | None
    choice: Choice
    words: str


class PrunedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was left out: it would have had to hold ``rate``. ``proof`` is the lowest rate
    that theory excludes, None where a simulation at ``rate`` decided."""

    label: str
    kind: Kind
    constraint: Constraint
    rate: float
    proof: float | None
    words: str


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. ``plans`` are the best first; none when nothing meets the SLO, and then
    ``infeasible`` says why. ``crossover`` is the load from which on the choice matters."""

    schema: Literal["goodput.plan/1"] = "goodput.plan/1"
    profile: str
    model: str
    machine: str
    origin: str
    source: str
    uncertainty: float
    accelerator: str
    node: int
    workload: str
    requests: int
    slo: SLO
    budget: int
    rate: float | None
    needed: int | None
    candidates: int
    judged: int
    seconds: float
    plans: list[PlanRow]
    verdicts: list[Verdict]
    crossover: float | None
    infeasible: str | None
    pruned: list[PrunedRow]

    @property
    def best(self) -> PlanRow | None:
        """The plan to take."""
        return self.plans[0] if self.plans else None

    def to_json(self) -> bytes:
        """Indented, with a final newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"
