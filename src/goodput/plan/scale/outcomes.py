"""What becomes of each request, added up at once: nothing is kept of a request that ended."""

from __future__ import annotations

import math

from goodput.plan.scale.compiled import compiled
from goodput.plan.scale.state import (
    DECODE,
    HISTOGRAM_BINS,
    HISTOGRAM_LEAST_S,
    HISTOGRAM_RATIO,
    PREFILL,
    Fleet,
    Integers,
)


@compiled
def finish(fleet: Fleet, slot: int, last_s: float) -> None:
    """Judge a request whose last token came at ``last_s``, and free its slot."""
    request, promise = fleet.requests[slot], fleet.promise[0]
    number = bucket_of(fleet, request.arrived_s)
    bucket = fleet.buckets[number]
    ttft = request.first_s - request.arrived_s + promise.frontend_s
    e2e = last_s - request.arrived_s + promise.frontend_s
    kept = ttft <= promise.ttft
    bucket.ttft_met += kept
    bucket.ttft_s += ttft
    bucket.ended += 1
    bucket.output_tokens += request.output
    _count(fleet.ttft[number], ttft)
    paced = True
    if request.output > 1:
        tpot = (last_s - request.first_s) / (request.output - 1)
        paced = tpot <= promise.tpot
        _count(fleet.tpot[number], tpot)
    bucket.tpot_met += paced
    bucket.met += kept and paced and e2e <= promise.e2e
    release(fleet, slot)


@compiled
def release(fleet: Fleet, slot: int) -> None:
    """Let another request have the slot."""
    totals = fleet.totals[0]
    fleet.free[totals.free] = slot
    totals.free += 1


@compiled
def charge(fleet: Fleet, index: int, now: float) -> None:
    """Add the step or stretch that a worker has just ended to the work of its interval."""
    worker, bucket = fleet.workers[index], fleet.buckets[bucket_of(fleet, now)]
    seconds = now - worker.begun_s
    if worker.role == PREFILL:
        bucket.prefill_busy_s += seconds
    elif worker.role == DECODE:
        bucket.decode_busy_s += seconds
    else:
        bucket.mixed_busy_s += seconds
    if worker.rows > 0:
        bucket.sequence_s += seconds * worker.rows
        bucket.decode_steps += worker.planned


@compiled
def bucket_of(fleet: Fleet, at_s: float) -> int:
    """The interval that a moment lies in; what comes after the last one counts for it."""
    return min(int(at_s / fleet.totals[0].bucket_s), fleet.buckets.size - 1)


@compiled
def _count(histogram: Integers, seconds: float) -> None:
    place = 0
    if seconds > HISTOGRAM_LEAST_S:
        place = int(math.log(seconds / HISTOGRAM_LEAST_S) / math.log(HISTOGRAM_RATIO)) + 1
    histogram[min(place, HISTOGRAM_BINS - 1)] += 1
