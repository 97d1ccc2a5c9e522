"""All candidates of a budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goodput.core.config import Role
from goodput.core.errors import UsageError
from goodput.plan.profile.schema import Link, Profile, WorkerProfile
from goodput.plan.scale.fleet import FleetSpec, Group
from goodput.plan.search.candidate import Candidate, Placement

_MAX_SEQUENCES = 256
_TOKEN_BUDGET = 8192
_SATURATION_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Space:
    """What may be built: ``budget`` accelerators in nodes of ``node``, workers of ``profile``.

    ``paced``: mixed workers make prompts wait for the slack of answers, as ours do.
    """

    profile: Profile
    budget: int
    node: int
    paced: bool = True

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise UsageError(f"--budget must be one accelerator or more, not {self.budget}")
        if self.node < 1:
            raise UsageError(f"--node-size must be one accelerator or more, not {self.node}")

    @property
    def workers(self) -> list[WorkerProfile]:
        """The ways to run a worker that fit: into the budget, and each stage into a node."""
        return [
            worker
            for worker in self.profile.workers
            if worker.accelerators <= self.budget and worker.tensor <= self.node
        ]

    def fleet(self, groups: tuple[Group, ...], link: Link) -> FleetSpec:
        """A fleet of this profile."""
        return FleetSpec(
            groups=groups,
            link=link,
            kv_bytes_per_token=self.profile.kv_bytes_per_token,
            frontend_s=self.profile.frontend_s,
            paced=self.paced,
        )


def aggregated(space: Space) -> Iterator[Candidate]:
    """As many mixed workers of one kind as there is room for."""
    for worker in space.workers:
        count = space.budget // worker.accelerators
        groups = (_group("mixed", count, worker),)
        yield Candidate(space.fleet(groups, space.profile.near), _placement(space))


def disaggregated(space: Space) -> Iterator[Candidate]:
    """Every split of the budget between the two phases, each with its own parallelism."""
    link = space.profile.near if _placement(space) == "one node" else space.profile.far
    for prefill in space.workers:
        for decode in space.workers:
            for one, other in _splits(prefill, decode, space.budget):
                groups = (_group("prefill", one, prefill), _group("decode", other, decode))
                yield Candidate(space.fleet(groups, link), _placement(space))


def same_node(space: Space) -> Iterator[Candidate]:
    """Cells in which KV stays inside of its node (DistServe's Algorithm 2).

    Both phases have the same pipeline stages, one a node, and a node holds that stage of all of the
    cell's workers. One cell after the other until the nodes are used up.
    """
    nodes = space.budget // space.node
    if _placement(space) == "one node":
        return
    for prefill in space.workers:
        for decode in space.workers:
            stages = prefill.pipeline
            cells = nodes // stages
            if decode.pipeline != stages or not cells:
                continue
            for one, other in _splits(prefill, decode, space.node * stages):
                groups = (_group("prefill", one, prefill), _group("decode", other, decode))
                fleet = space.fleet(groups, space.profile.near)
                yield Candidate(fleet, "same node", cells)


def hybrid(space: Space, mixed: WorkerProfile, apart: Candidate) -> Iterator[Candidate]:
    """A part of the budget as ``apart`` has it, the rest as mixed workers of one kind."""
    prefill, decode = apart.group("prefill"), apart.group("decode")
    assert prefill is not None and decode is not None
    if apart.cells > 1:
        return
    for count in range(1, space.budget // mixed.accelerators):
        rest = space.budget - count * mixed.accelerators
        for one, other in _splits(prefill.worker, decode.worker, rest):
            groups = (
                _group("prefill", one, prefill.worker),
                _group("decode", other, decode.worker),
                _group("mixed", count, mixed),
            )
            yield Candidate(space.fleet(groups, apart.fleet.link), apart.placement)


def step_variants(candidate: Candidate) -> Iterator[Candidate]:
    """The same workers with other chunks of prompts and other budgets of a step."""
    for saturation in (128, 256, 1024, 2048):
        yield candidate.with_steps(saturation, _TOKEN_BUDGET)
    for saturation, budget in ((512, 1024), (512, 2048), (2048, 16384)):
        yield candidate.with_steps(saturation, budget)


def _splits(
    prefill: WorkerProfile, decode: WorkerProfile, budget: int
) -> Iterator[tuple[int, int]]:
    """Counts of both that leave no room for another decode worker."""
    for one in range(1, (budget - decode.accelerators) // prefill.accelerators + 1):
        yield one, (budget - one * prefill.accelerators) // decode.accelerators


def _group(role: Role, count: int, worker: WorkerProfile) -> Group:
    return Group(
        role=role,
        count=count,
        worker=worker,
        max_sequences=_MAX_SEQUENCES,
        token_budget=_TOKEN_BUDGET,
        saturation_tokens=_SATURATION_TOKENS,
    )


def _placement(space: Space) -> Placement:
    return "one node" if space.budget <= space.node else "any node"
