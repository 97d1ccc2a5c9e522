"""The events of a fleet: requests arrive, steps end, sequences are handed over.

A worker acts when its step or its stretch of decode steps ends. A stretch lasts until a sequence
ends or something arrives; its steps are not visited one by one, because their times are an
arithmetic series. So a request costs a handful of events, however long its answer is.
"""

from __future__ import annotations

import math

from goodput.plan.scale.batches import (
    add_sequence,
    growth_seconds,
    most_rows,
    prompt_rows,
    remove_first,
    step_seconds,
    steps_until,
    stretch_seconds,
)
from goodput.plan.scale.compiled import compiled
from goodput.plan.scale.outcomes import bucket_of, charge, finish
from goodput.plan.scale.ranking import first, key_of, set_key
from goodput.plan.scale.state import DECODE, NONE, PREFILL, Fleet, Floats, Integers

# The weight with which the scheduler learns what a prompt token costs (core/speeds.py).
_LEARNING = 0.2


@compiled
def advance(
    fleet: Fleet, times_s: Floats, prompts: Integers, outputs: Integers, horizon_s: float
) -> None:
    """Play these arrivals and everything that happens before ``horizon_s``."""
    arrived = 0
    while True:
        event_s = fleet.events[1]
        arrival_s = times_s[arrived] if arrived < times_s.size else horizon_s
        if event_s <= arrival_s and event_s < horizon_s:
            index = first(fleet.events)
            _settle(fleet, index, event_s)
            _join(fleet, index, event_s)
            _plan(fleet, index, event_s)
        elif arrived < times_s.size:
            _arrive(fleet, arrival_s, prompts[arrived], outputs[arrived])
            arrived += 1
        else:
            return


@compiled
def _arrive(fleet: Fleet, now: float, prompt: int, output: int) -> None:
    totals = fleet.totals[0]
    bucket = fleet.buckets[bucket_of(fleet, now)]
    bucket.scheduled += 1
    index = _computing_worker(fleet, now)
    worker = fleet.workers[index]
    if _never_fits(fleet, worker.role, prompt, output):
        bucket.refused += 1
        return
    totals.free -= 1
    totals.peak_in_flight = max(totals.peak_in_flight, fleet.requests.size - totals.free)
    slot = fleet.free[totals.free]
    request = fleet.requests[slot]
    request.arrived_s = now
    request.prompt = prompt
    request.output = output
    request.computed = 0
    request.next = NONE
    request.source = index
    worker.queued_s += _prompt_seconds(fleet, worker.role, prompt)
    if worker.prompt_head == NONE:
        worker.prompt_head = slot
        _wake(fleet, index, now)
    else:
        fleet.requests[worker.prompt_tail].next = slot
    worker.prompt_tail = slot
    _rank(fleet, index, now)


@compiled
def _computing_worker(fleet: Fleet, now: float) -> int:
    """Where a prompt would be begun first: a prefill worker, or a mixed one."""
    apart, together = first(fleet.prefill_rank), first(fleet.mixed_rank)
    if apart < 0 or together < 0:
        return max(apart, together)
    wait = max(0.0, key_of(fleet.prefill_rank, apart) - now)
    return apart if wait <= key_of(fleet.mixed_rank, together) else together


@compiled
def _never_fits(fleet: Fleet, role: int, prompt: int, output: int) -> bool:
    whole = prompt + output
    if role == PREFILL:
        limits = fleet.limits
        return bool(prompt > limits[PREFILL].kv_tokens or whole > limits[DECODE].kv_tokens)
    return bool(whole > fleet.limits[role].kv_tokens)


@compiled
def _prompt_seconds(fleet: Fleet, role: int, prompt: int) -> float:
    """How long a prompt alone keeps the worker from the next one."""
    seconds = step_seconds(fleet, role, prompt, prompt * prompt / 2.0, 0, 0)
    return float(seconds / fleet.limits[role].stages)


@compiled
def _settle(fleet: Fleet, index: int, now: float) -> None:
    """Account for the step, or the stretch of steps, that ends now."""
    worker = fleet.workers[index]
    if not worker.busy:
        return
    worker.busy = 0
    charge(fleet, index, now)
    if worker.taken > 0:
        _learn(fleet, index)
    if worker.rows > 0:
        worker.steps += worker.planned
        worker.context += worker.planned * worker.rows
        while worker.sequences > 0 and fleet.due[index, 0] == worker.steps:
            slot = remove_first(fleet, index)
            worker.held -= fleet.requests[slot].prompt + fleet.requests[slot].output
            finish(fleet, slot, now)
    if worker.taken > 0:
        _end_prompts(fleet, index)


@compiled
def _learn(fleet: Fleet, index: int) -> None:
    worker = fleet.workers[index]
    seconds = worker.step_s
    if worker.rows > 0:
        decode = step_seconds(fleet, worker.role, 0, 0.0, worker.rows, worker.context)
        seconds -= min(decode, seconds / 2)
    each = seconds / worker.tokens
    weight = _LEARNING if worker.token_s > 0 else 1.0
    worker.token_s += weight * (each - worker.token_s)


@compiled
def _end_prompts(fleet: Fleet, index: int) -> None:
    """Prompts computed to their end have a first token: they decode here or elsewhere, or end."""
    worker = fleet.workers[index]
    for _ in range(worker.taken):
        slot = worker.prompt_head
        request = fleet.requests[slot]
        request.computed += request.chunk
        if request.computed < request.prompt:
            break  # Only the last of a step's prompts is computed in part.
        worker.prompt_head = request.next
        request.next = NONE
        request.first_s = worker.ends_s
        worker.queued_s -= _prompt_seconds(fleet, worker.role, request.prompt)
        if request.output <= 1:
            worker.held -= request.prompt
            if worker.role != PREFILL:
                worker.held -= request.output
            finish(fleet, slot, worker.ends_s)
        elif worker.role == PREFILL:
            _hand_over(fleet, slot, worker.ends_s)
        else:
            add_sequence(fleet, index, slot)
    if worker.prompt_head == NONE:
        worker.queued_s = 0.0  # So that rounding does not add up over a day.
    worker.taken = 0


@compiled
def _hand_over(fleet: Fleet, slot: int, now: float) -> None:
    """Send the KV to the decode worker whose step would be the shortest."""
    request, promise = fleet.requests[slot], fleet.promise[0]
    request.ready_s = now + promise.transfer_s + request.prompt * promise.transfer_token_s
    index = first(fleet.decode_rank)
    worker = fleet.workers[index]
    worker.joining += 1
    worker.joining_context += request.prompt
    if worker.join_head == NONE:
        worker.join_head = slot
        _wake(fleet, index, request.ready_s)
    else:
        fleet.requests[worker.join_tail].next = slot
    worker.join_tail = slot
    _rank(fleet, index, now)


@compiled
def _wake(fleet: Fleet, index: int, at_s: float) -> None:
    """Something arrives at a worker: it acts at once if idle, else when the step under way ends."""
    worker = fleet.workers[index]
    if not worker.busy:
        set_key(fleet.events, index, min(at_s, key_of(fleet.events, index)))
    elif worker.taken == 0:
        steps = steps_until(worker, at_s)
        if steps < worker.planned:
            worker.planned = steps
            set_key(fleet.events, index, worker.begun_s + stretch_seconds(worker, steps))


@compiled
def _join(fleet: Fleet, index: int, now: float) -> None:
    """Take on the sequences that have arrived, in their order, as far as there is room."""
    worker = fleet.workers[index]
    limits = fleet.limits[worker.role]
    while worker.join_head != NONE and worker.sequences < limits.max_sequences:
        slot = worker.join_head
        request = fleet.requests[slot]
        whole = request.prompt + request.output
        if request.ready_s > now or worker.held + whole > limits.kv_tokens:
            return
        worker.join_head = request.next
        worker.joining -= 1
        worker.joining_context -= request.prompt
        worker.held += whole
        add_sequence(fleet, index, slot)
        source = fleet.workers[request.source]
        source.held -= request.prompt
        if not source.busy and source.prompt_head != NONE:
            set_key(fleet.events, request.source, now)


@compiled
def _plan(fleet: Fleet, index: int, now: float) -> None:
    """Begin the next step, or a stretch of decode steps up to where something changes."""
    worker = fleet.workers[index]
    rows = worker.sequences
    tokens, pairs, waits = _take_prompts(fleet, index, now)
    if tokens == 0 and rows == 0:
        set_key(fleet.events, index, _next_arrival(fleet, worker.join_head, now))
        _rank(fleet, index, now)
        return
    if tokens > 0 and fleet.limits[worker.role].alone:
        rows = 0
    worker.busy = 1
    worker.rows = rows
    worker.begun_s = now
    context = worker.context if rows > 0 else 0
    worker.step_s = step_seconds(fleet, worker.role, tokens, pairs, rows, context)
    worker.planned = 1
    worker.tokens = tokens
    if tokens > 0:
        event_s = _through_stages(fleet, index, now)
    else:
        worker.growth_s = growth_seconds(fleet, worker.role, rows)
        if not waits:
            worker.planned = fleet.due[index, 0] - worker.steps
        arrival_s = _next_arrival(fleet, worker.join_head, now)
        if arrival_s < math.inf:
            worker.planned = min(worker.planned, steps_until(worker, arrival_s))
        event_s = now + stretch_seconds(worker, worker.planned)
    set_key(fleet.events, index, event_s)
    _rank(fleet, index, now)


@compiled
def _next_arrival(fleet: Fleet, slot: int, now: float) -> float:
    """When the KV of the first sequence that joins will be there; infinity if it is or none is."""
    if slot == NONE or fleet.requests[slot].ready_s <= now:
        return math.inf
    return float(fleet.requests[slot].ready_s)


@compiled
def _take_prompts(fleet: Fleet, index: int, now: float) -> tuple[int, float, bool]:
    """Chunks of prompts for the next step: rows, query-key pairs, and whether they wait for slack.

    As ``Scheduler`` does it: in order, and no other prompt once the step is saturated.
    """
    worker = fleet.workers[index]
    limits = fleet.limits[worker.role]
    worker.taken = 0
    if worker.prompt_head == NONE:
        return 0, 0.0, False
    budget = limits.token_budget - worker.sequences
    if worker.sequences > 0:
        budget = min(budget, prompt_rows(fleet, index, now))
        if budget <= 0:
            return 0, 0.0, True
    budget = min(budget, most_rows(fleet, index))
    tokens, pairs = 0, 0.0
    slot = worker.prompt_head
    while slot != NONE and tokens < min(budget, limits.saturation):
        request = fleet.requests[slot]
        if request.computed == 0:
            needed = request.prompt + (0 if worker.role == PREFILL else request.output)
            places = worker.sequences + worker.taken
            if worker.held + needed > limits.kv_tokens or places >= limits.max_sequences:
                break
            worker.held += needed
        request.chunk = min(request.prompt - request.computed, budget - tokens)
        pairs += request.chunk * (request.computed + request.chunk / 2.0)
        tokens += request.chunk
        worker.taken += 1
        slot = request.next
    return tokens, pairs, False


@compiled
def _through_stages(fleet: Fleet, index: int, now: float) -> float:
    """Send the step through the worker's stages; returns when it can begin the next one."""
    worker = fleet.workers[index]
    stages = fleet.limits[worker.role].stages
    if stages == 1:
        worker.ends_s = now + worker.step_s
        return float(worker.ends_s)
    at_s = now
    for stage in range(stages):
        at_s = max(at_s, fleet.stage_free_s[index, stage]) + worker.step_s / stages
        fleet.stage_free_s[index, stage] = at_s
    worker.ends_s = at_s
    return float(fleet.stage_free_s[index, 0])


@compiled
def _rank(fleet: Fleet, index: int, now: float) -> None:
    """Say how good a place the worker would be for another request."""
    worker = fleet.workers[index]
    if worker.role == PREFILL:
        # The prompts of the step under way are still in queued_s.
        since = worker.begun_s if worker.busy else now
        set_key(fleet.prefill_rank, index, since + worker.queued_s)
        return
    rows = worker.sequences + worker.joining
    context = worker.context + worker.joining_context
    step = step_seconds(fleet, worker.role, 0, 0.0, rows, context) if rows > 0 else 0.0
    if worker.role == DECODE:
        set_key(fleet.decode_rank, index, step)
    else:
        set_key(fleet.mixed_rank, index, worker.queued_s + step)
