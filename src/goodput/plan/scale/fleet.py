"""A fleet in words, and the arrays that the compiled loop makes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from goodput.core.config import Role
from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.engine.pacing import LONGEST_STEP_S
from goodput.plan.profile.schema import Line, Link, WorkerProfile
from goodput.plan.scale.ranking import new_ranking, set_key
from goodput.plan.scale.state import (
    BUCKET,
    DECODE,
    DECODE_LINE,
    HISTOGRAM_BINS,
    LARGE_LINE,
    LIMITS,
    LINES,
    MIXED,
    MIXED_LINE,
    NONE,
    PREFILL,
    PREFILL_LINE,
    PROMISE,
    REQUEST,
    TERMS,
    TOTALS,
    WORKER,
    Fleet,
    Floats,
    Integers,
    Records,
)

_ROLES: Final[dict[Role, int]] = {"prefill": PREFILL, "decode": DECODE, "mixed": MIXED}
_NEVER: Final = 1 << 60
_FIRST_SLOTS: Final = 4096


@dataclass(frozen=True, slots=True)
class Group:
    """``count`` equal workers of one role, with the limits of their engines.

    A decode or mixed worker of p pipeline stages has p batches under way, one a stage; each is
    simulated as a worker of its own with its share of the KV. ``prompts_alone`` makes decodes
    stand still while prompts are computed, as vLLM did before it chunked prompts.
    """

    role: Role
    count: int
    worker: WorkerProfile
    max_sequences: int = 256
    token_budget: int = 8192
    saturation_tokens: int = 512
    prompts_alone: bool = False

    @property
    def accelerators(self) -> int:
        """Of the whole group."""
        return self.count * self.worker.accelerators

    @property
    def lanes(self) -> int:
        """How many batches one worker has under way at a time."""
        return 1 if self.role == "prefill" else self.worker.pipeline


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """At most one group of each role, and what lies between them.

    ``paced``: workers plan their steps as ours do (``engine/pacing.py``): mixed ones know the TPOT
    bound and make prompts wait for the slack of answers, and no step computes prompts for much
    longer than 80 ms. Else a step takes whole prompts, or ``saturation_tokens`` rows of them beside
    answers.
    """

    groups: tuple[Group, ...]
    link: Link
    kv_bytes_per_token: int
    frontend_s: float = 0.0
    paced: bool = True

    def __post_init__(self) -> None:
        roles = [group.role for group in self.groups if group.count > 0]
        if len(set(roles)) != len(roles):
            raise UsageError(f"fleet.groups has a role twice: {', '.join(roles)}")
        if ("prefill" in roles) != ("decode" in roles):
            raise UsageError("fleet.groups needs prefill and decode workers together, or neither")
        if not roles:
            raise UsageError("fleet.groups has no workers")
        for group in self.groups:
            if group.token_budget <= group.max_sequences:
                raise UsageError("fleet.groups.token_budget must be above max_sequences")

    @property
    def accelerators(self) -> int:
        """Of all groups."""
        return sum(group.accelerators for group in self.groups)


def build(spec: FleetSpec, slo: SLO, intervals: int, interval_s: float) -> Fleet:
    """The fleet, idle and empty, with statistics for so many intervals."""
    groups = [group for group in spec.groups if group.count > 0]
    roles = np.repeat(
        [_ROLES[group.role] for group in groups], [group.count * group.lanes for group in groups]
    )
    sequences = max(group.max_sequences for group in groups)
    fleet = Fleet(
        lines=_lines(groups),
        limits=_limits(groups),
        promise=_promise(spec, slo),
        workers=_workers(roles),
        stage_free_s=np.zeros((roles.size, max(group.worker.pipeline for group in groups))),
        due=np.zeros((roles.size, sequences), np.int64),
        member=np.zeros((roles.size, sequences), np.int64),
        requests=np.zeros(_FIRST_SLOTS, REQUEST),
        free=np.arange(_FIRST_SLOTS),
        events=new_ranking(roles.size),
        prefill_rank=new_ranking(roles.size),
        mixed_rank=new_ranking(roles.size),
        decode_rank=new_ranking(roles.size),
        buckets=np.zeros(intervals, BUCKET),
        ttft=np.zeros((intervals, HISTOGRAM_BINS), np.int64),
        tpot=np.zeros((intervals, HISTOGRAM_BINS), np.int64),
        totals=np.array([(_FIRST_SLOTS, 0, interval_s)], TOTALS),
    )
    ranks = {PREFILL: fleet.prefill_rank, DECODE: fleet.decode_rank, MIXED: fleet.mixed_rank}
    for index, role in enumerate(roles.tolist()):
        set_key(ranks[role], index, 0.0)
    return fleet


def _workers(roles: Integers) -> Records:
    workers = np.zeros(roles.size, WORKER)
    workers["role"] = roles
    for name in ("prompt_head", "prompt_tail", "join_head", "join_tail"):
        workers[name] = NONE
    return workers


def _limits(groups: Sequence[Group]) -> Records:
    limits = np.zeros(len(_ROLES), LIMITS)
    limits["stages"] = 1
    for group in groups:
        large = group.worker.large_batch
        limits[_ROLES[group.role]] = (
            _NEVER if large is None or group.worker.large_decode is None else large,
            group.worker.pipeline // group.lanes,
            group.worker.kv_tokens // group.lanes,
            group.max_sequences,
            group.token_budget,
            group.saturation_tokens,
            group.prompts_alone,
        )
    return limits


def _lines(groups: Sequence[Group]) -> Floats:
    lines = np.zeros((len(_ROLES), LINES, TERMS))
    for group in groups:
        of_role, worker = lines[_ROLES[group.role]], group.worker
        of_role[PREFILL_LINE] = _terms(worker.prefill)
        of_role[DECODE_LINE] = _terms(worker.decode)
        of_role[MIXED_LINE] = _terms(worker.mixed)
        of_role[LARGE_LINE] = _terms(worker.large_decode or worker.decode)
    return lines


def _terms(line: Line) -> tuple[float, ...]:
    return (
        line.base_s,
        line.prefill_token_s,
        line.prefill_pair_s,
        line.decode_row_s,
        line.context_token_s,
    )


def _promise(spec: FleetSpec, slo: SLO) -> Records:
    bounds = [math.inf if bound is None else bound for bound in (slo.ttft, slo.tpot, slo.e2e)]
    pace_s, longest_s = (bounds[1], LONGEST_STEP_S) if spec.paced else (math.inf, math.inf)
    token_s = spec.kv_bytes_per_token / spec.link.bytes_per_s
    rest = (pace_s, longest_s, spec.frontend_s, spec.link.base_s, token_s)
    return np.array([(*bounds, *rest)], PROMISE)
