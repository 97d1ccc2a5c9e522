"""The least that requests can cost a worker, whatever its scheduler does: what bounds are made of.

Seconds are of a whole worker; one with p pipeline stages has p steps under way at a time, so each
takes it a p-th of its time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goodput.core.slo import SLO
from goodput.plan.profile.schema import Line, WorkerProfile
from goodput.plan.scale.fleet import FleetSpec, Group
from goodput.plan.search.demand import Demand, Floats


def prefill_s(group: Group, demand: Demand) -> float:
    """Mean seconds of a worker for a prompt.

    Every row and every pair is computed once, and no step has more than ``token_budget`` rows to
    share its fixed part. A mixed worker's steps have answers to share it with: it counts there.
    """
    worker = group.worker
    lines = [worker.prefill, worker.mixed] if group.role == "mixed" else [worker.prefill]
    row_s = min(line.prefill_token_s for line in lines)
    if group.role != "mixed":
        row_s += worker.prefill.base_s / group.token_budget
    pair_s = min(line.prefill_pair_s for line in lines)
    seconds = row_s * demand.prompts.mean() + pair_s * demand.pairs.mean()
    return float(seconds) / worker.pipeline


def decode_s(group: Group, demand: Demand, slo: SLO) -> float:
    """Mean seconds of a worker for an answer, when enough answers keep the TPOT bound.

    Let a step of b rows take at least base + row·b, and let b count rows of answers that keep the
    bound. Each of those waits tpot a token at most, so over all steps Σ b·(base + row·b) ≤ tpot·Σb.
    With Cauchy's inequality there are at least Σb / b* steps, b* = (tpot − base)/row, each of which
    pays the base; rows and context are paid by every token.
    """
    answers = np.sort(demand.decode_steps)
    kept = answers[: int(np.ceil(slo.target * answers.size))].sum() / answers.size
    best = 0.0
    for line in _below(group):
        rows = most_rows(group, line, demand, slo)
        seconds = line.base_s * kept / rows
        seconds += line.decode_row_s * answers.mean()
        seconds += line.context_token_s * demand.context_steps.mean()
        best = max(best, float(seconds))
    return best / group.worker.pipeline


def most_rows(group: Group, line: Line, demand: Demand, slo: SLO) -> float:
    """How many answers can share a step and keep the TPOT bound (1 at least)."""
    if slo.tpot is None:
        return float(group.max_sequences)
    each = line.decode_row_s + line.context_token_s * float(demand.prompts.min())
    within = (slo.tpot - line.base_s) / each if each > 0 else group.max_sequences
    return float(min(max(within, 1.0), group.max_sequences))


def held_token_s(group: Group, demand: Demand) -> float:
    """Mean token-seconds of KV that an answer holds: its context in every step, at the fastest."""
    return float(demand.context_steps.mean()) * _fastest_step_s(group.worker, demand)


def ttft_alone(group: Group, frontend_s: float, demand: Demand) -> Floats:
    """TTFT of each request with nobody else there: its prompt in as few steps as possible."""
    line = group.worker.prefill
    steps = np.ceil(demand.prompts / group.token_budget)
    return np.asarray(
        frontend_s
        + steps * line.base_s
        + demand.prompts * line.prefill_token_s
        + demand.pairs * line.prefill_pair_s
    )


def tpot_alone(group: Group, fleet: FleetSpec, demand: Demand) -> Floats:
    """TPOT of each request with nobody else there, its KV's transfer to the worker included."""
    steps = np.maximum(demand.decode_steps, 1)
    seconds = np.full(demand.requests, np.inf)
    for line in _lines(group.worker):
        alone = demand.decode_steps * (line.base_s + line.decode_row_s)
        seconds = np.minimum(seconds, alone + demand.context_steps * line.context_token_s)
    if group.role == "decode":
        seconds = seconds + transfer_s(fleet, demand.prompts)
    return np.where(demand.decode_steps > 0, seconds / steps, 0.0)


def transfer_s(fleet: FleetSpec, prompts: npt.NDArray[np.int64]) -> Floats:
    """How long the KV of each prompt is under way."""
    moved = prompts * fleet.kv_bytes_per_token / fleet.link.bytes_per_s
    return np.asarray(fleet.link.base_s + moved)


def _fastest_step_s(worker: WorkerProfile, demand: Demand) -> float:
    context = float(demand.prompts.min())
    return min(
        line.base_s + line.decode_row_s + line.context_token_s * context for line in _lines(worker)
    )


def _lines(worker: WorkerProfile) -> list[Line]:
    return [worker.decode, *([worker.large_decode] if worker.large_decode is not None else [])]


def _below(group: Group) -> list[Line]:
    """Lines that no step with decode rows falls below, each in its own way."""
    worker = group.worker
    lines = _lines(worker)
    if group.role == "mixed":
        lines.append(worker.mixed)
    if len(lines) == 1:
        return lines
    context_s = min(line.context_token_s for line in lines)
    found = [
        Line(
            base_s=min(line.base_s for line in lines),
            decode_row_s=min(line.decode_row_s for line in lines),
            context_token_s=context_s,
        )
    ]
    if group.role != "mixed" and worker.large_decode is not None and worker.large_batch:
        found += _below_both(worker.decode, worker.large_decode, worker.large_batch, context_s)
    return found


def _below_both(small: Line, large: Line, batch: int, context_s: float) -> list[Line]:
    """``small`` holds below ``batch`` rows and ``large`` from there on: lines below both."""
    at_batch = large.base_s + large.decode_row_s * batch
    found = []
    if large.base_s <= small.base_s and at_batch <= small.base_s + small.decode_row_s * batch:
        found.append(
            Line(base_s=large.base_s, decode_row_s=large.decode_row_s, context_token_s=context_s)
        )
    slope = (at_batch - small.base_s) / batch
    if 0 <= slope <= min(small.decode_row_s, large.decode_row_s):
        found.append(Line(base_s=small.base_s, decode_row_s=slope, context_token_s=context_s))
    return found
