"""One way to spend the accelerators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from goodput.core.config import Role
from goodput.plan.scale.fleet import FleetSpec, Group

Kind = Literal["aggregated", "disaggregated", "hybrid"]
KINDS: tuple[Kind, ...] = ("aggregated", "disaggregated", "hybrid")
Placement = Literal["one node", "any node", "same node"]
Constraint = Literal["prefill queue", "decode step", "transfer", "memory"]
_LETTERS: dict[Role, str] = {"prefill": "P", "decode": "D", "mixed": "M"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """``cells`` independent copies of one fleet, each with its even share of the requests.

    ``placement``: all of it on "one node"; a fleet of several nodes whose phases lie on "any node"
    and whose KV crosses the network (DistServe's Algorithm 1); or cells in which a stage's prefill
    and decode share the "same node", so that KV never leaves it (Algorithm 2).
    """

    fleet: FleetSpec
    placement: Placement = "one node"
    cells: int = 1

    @property
    def kind(self) -> Kind:
        """By the roles of its workers."""
        roles = {group.role for group in self.fleet.groups}
        if roles == {"mixed"}:
            return "aggregated"
        return "hybrid" if "mixed" in roles else "disaggregated"

    @property
    def accelerators(self) -> int:
        """Of all cells."""
        return self.cells * self.fleet.accelerators

    @property
    def label(self) -> str:
        """Like ``2×(1P tp2 + 3D tp1)``."""
        parts = " + ".join(_group_label(group) for group in self.fleet.groups)
        return parts if self.cells == 1 else f"{self.cells}×({parts})"

    @property
    def title(self) -> str:
        """The label, where it lies and the limits of a step: no two of a search share it."""
        group = self.fleet.groups[0]
        limits = f"chunk {group.saturation_tokens}, step {group.token_budget}"
        return f"{self.label} on {self.placement}, {limits}"

    @property
    def workers(self) -> int:
        """Worker processes of all cells."""
        return self.cells * sum(group.count for group in self.fleet.groups)

    def group(self, role: Role) -> Group | None:
        """The workers of one role, of one cell."""
        return next((group for group in self.fleet.groups if group.role == role), None)

    def with_steps(self, saturation_tokens: int, token_budget: int) -> Candidate:
        """The same workers with other limits of a step."""
        groups = tuple(
            replace(group, saturation_tokens=saturation_tokens, token_budget=token_budget)
            for group in self.fleet.groups
        )
        return replace(self, fleet=replace(self.fleet, groups=groups))


def _group_label(group: Group) -> str:
    worker = group.worker
    ways = f" tp{worker.tensor}" + (f" pp{worker.pipeline}" if worker.pipeline > 1 else "")
    return f"{group.count}{_LETTERS[group.role]}{ways}"
