"""How long steps take, and the batch of sequences that decode on a worker."""

from __future__ import annotations

import math
from typing import Any, Final

from goodput.plan.scale.compiled import compiled
from goodput.plan.scale.state import (
    DECODE_LINE,
    LARGE_LINE,
    MIXED_LINE,
    PREFILL_LINE,
    Fleet,
    Integers,
)

# As in engine/pacing.py, which explains them.
_PROMISED_SHARE: Final = 0.85
_HOPELESS_SHARE: Final = 0.7


@compiled
def step_seconds(
    fleet: Fleet, role: int, tokens: int, pairs: float, rows: int, context: int
) -> float:
    """A step of these prompt tokens and query-key pairs, decode rows and KV tokens read."""
    if tokens > 0:
        region = MIXED_LINE if rows > 0 else PREFILL_LINE
    elif rows >= fleet.limits[role].large_batch:
        region = LARGE_LINE
    else:
        region = DECODE_LINE
    line = fleet.lines[role, region]
    seconds = line[0] + tokens * line[1] + pairs * line[2] + rows * line[3] + context * line[4]
    return float(seconds)


@compiled
def growth_seconds(fleet: Fleet, role: int, rows: int) -> float:
    """What each decode step of ``rows`` sequences takes longer than the one before it."""
    region = LARGE_LINE if rows >= fleet.limits[role].large_batch else DECODE_LINE
    return float(rows * fleet.lines[role, region, 4])


@compiled
def stretch_seconds(worker: Any, steps: int) -> float:
    """The first so many steps of the stretch of decode steps under way."""
    return float(steps * worker.step_s + worker.growth_s * (steps * (steps - 1) / 2))


@compiled
def steps_until(worker: Any, at_s: float) -> int:
    """After how many steps of the stretch (1 or more) the first of them ends at or after a time."""
    wait = at_s - worker.begun_s
    slope = worker.step_s - worker.growth_s / 2
    if wait <= 0 or slope <= 0:
        return 1
    steps = int(2 * wait / (slope + math.sqrt(slope * slope + 2 * worker.growth_s * wait)))
    steps = max(1, steps - 1)
    while stretch_seconds(worker, steps) < wait:  # rounding: once or twice
        steps += 1
    return steps


@compiled
def prompt_rows(fleet: Fleet, index: int, now: float) -> int:
    """How many prompt rows the running answers can wait for (``engine/pacing.py``)."""
    worker = fleet.workers[index]
    usual = int(fleet.limits[worker.role].saturation)
    tpot = fleet.promise[0].pace_s
    if tpot == math.inf or worker.token_s == 0.0:
        return usual
    step = step_seconds(fleet, worker.role, 0, 0.0, worker.sequences, worker.context)
    if step > _HOPELESS_SHARE * tpot:
        return usual
    slack = math.inf
    for place in range(worker.sequences):
        request = fleet.requests[fleet.member[index, place]]
        generated = request.output - (fleet.due[index, place] - worker.steps)
        left = request.first_s + _PROMISED_SHARE * tpot * generated - now
        slack = min(slack, left)
    return max(0, int((slack - step) / worker.token_s))


@compiled
def most_rows(fleet: Fleet, index: int) -> int:
    """How many prompt rows a step may have (``Pace.rows_alone``)."""
    worker = fleet.workers[index]
    longest, limits = fleet.promise[0].longest_s, fleet.limits[worker.role]
    if longest == math.inf:
        return int(limits.token_budget)
    if worker.token_s == 0.0:
        return int(limits.saturation)
    return max(int(limits.saturation) // 2, int(longest / worker.token_s))


@compiled
def add_sequence(fleet: Fleet, index: int, slot: int) -> None:
    """Let a request whose prompt is computed decode on a worker: one token a step."""
    worker, request = fleet.workers[index], fleet.requests[slot]
    _push(fleet.due[index], fleet.member[index], worker.sequences, worker.steps, slot, request)
    worker.sequences += 1
    worker.context += request.prompt


@compiled
def remove_first(fleet: Fleet, index: int) -> int:
    """Take the sequence that ends first out of the batch; returns its request."""
    worker = fleet.workers[index]
    slot = int(fleet.member[index, 0])
    request = fleet.requests[slot]
    worker.sequences -= 1
    worker.context -= request.prompt + request.output - 1
    _pop(fleet.due[index], fleet.member[index], worker.sequences)
    return slot


@compiled
def _push(due: Integers, member: Integers, size: int, steps: int, slot: int, request: Any) -> None:
    key = steps + request.output - 1
    place = size
    while place > 0 and due[(place - 1) // 2] > key:
        due[place] = due[(place - 1) // 2]
        member[place] = member[(place - 1) // 2]
        place = (place - 1) // 2
    due[place] = key
    member[place] = slot


@compiled
def _pop(due: Integers, member: Integers, size: int) -> None:
    """Fill the root of a heap of ``size`` + 1 with its last entry."""
    key, slot = due[size], member[size]
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and due[child + 1] < due[child]:
            child += 1
        if due[child] >= key:
            break
        due[place] = due[child]
        member[place] = member[child]
        place = child
    due[place] = key
    member[place] = slot
