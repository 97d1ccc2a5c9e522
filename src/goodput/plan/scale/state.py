"""A fleet as arrays of records, which compiled code reads and changes by field.

All of it is bounded by the number of workers and of requests in flight, never by the requests of
the day.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from goodput.plan.scale.ranking import Ranking

Records = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PREFILL: Final = 0
DECODE: Final = 1
MIXED: Final = 2
NONE: Final = -1

# The four lines of a role, then the five terms of a line as in the profile.
PREFILL_LINE: Final = 0
DECODE_LINE: Final = 1
MIXED_LINE: Final = 2
LARGE_LINE: Final = 3
LINES: Final = 4
TERMS: Final = 5

LIMITS: Final = np.dtype(
    [
        ("large_batch", np.int64),
        ("stages", np.int64),
        ("kv_tokens", np.int64),
        ("max_sequences", np.int64),
        ("token_budget", np.int64),
        ("saturation", np.int64),
        ("alone", np.int64),
    ]
)
"""What bounds a worker of one role. ``stages`` are those of a prefill worker's pipeline; where
``alone`` is set, decodes stand still while prompts are computed."""

PROMISE: Final = np.dtype(
    [
        ("ttft", np.float64),
        ("tpot", np.float64),
        ("e2e", np.float64),
        ("pace_s", np.float64),
        ("longest_s", np.float64),
        ("frontend_s", np.float64),
        ("transfer_s", np.float64),
        ("transfer_token_s", np.float64),
    ]
)
"""The SLO's bounds, the TPOT that schedulers know of and how long a step with prompts may take
(infinity for none), and what lies between the workers and the client."""

WORKER: Final = np.dtype(
    [
        ("role", np.int64),
        # The step or the stretch of decode steps under way.
        ("busy", np.int64),
        ("begun_s", np.float64),
        ("step_s", np.float64),  # the first step; each further one takes growth_s more
        ("growth_s", np.float64),
        ("planned", np.int64),  # steps
        ("ends_s", np.float64),  # when its prompts leave the last stage of the pipeline
        ("taken", np.int64),  # prompts in it, counted from the head of the queue
        ("tokens", np.int64),  # rows of those prompts
        ("rows", np.int64),  # sequences that get a token in each of its steps
        # The running batch.
        ("sequences", np.int64),
        ("context", np.int64),  # tokens of KV that it reads
        ("steps", np.int64),  # decode steps since the beginning
        ("held", np.int64),  # tokens of KV that are promised to somebody
        ("token_s", np.float64),  # a prompt token's recent cost, as the scheduler learns it
        # Linked lists through the requests: prompts to compute, and sequences that arrive.
        ("prompt_head", np.int64),
        ("prompt_tail", np.int64),
        ("queued_s", np.float64),
        ("join_head", np.int64),
        ("join_tail", np.int64),
        ("joining", np.int64),
        ("joining_context", np.int64),
    ]
)

REQUEST: Final = np.dtype(
    [
        ("arrived_s", np.float64),
        ("first_s", np.float64),  # when its first token was there
        ("ready_s", np.float64),  # when its KV is at the decode worker
        ("prompt", np.int64),
        ("output", np.int64),
        ("computed", np.int64),
        ("chunk", np.int64),
        ("next", np.int64),
        ("source", np.int64),
    ]
)

BUCKET: Final = np.dtype(
    [
        ("scheduled", np.int64),
        ("met", np.int64),
        ("ttft_met", np.int64),
        ("tpot_met", np.int64),
        ("refused", np.int64),
        ("ended", np.int64),
        ("output_tokens", np.int64),
        ("ttft_s", np.float64),
        ("prefill_busy_s", np.float64),
        ("decode_busy_s", np.float64),
        ("mixed_busy_s", np.float64),
        ("sequence_s", np.float64),
        ("decode_steps", np.int64),
    ]
)
"""Sums over the requests that arrived in one interval, and over the work that ended in it."""

TOTALS: Final = np.dtype(
    [("free", np.int64), ("peak_in_flight", np.int64), ("bucket_s", np.float64)]
)

HISTOGRAM_LEAST_S: Final = 1e-4
HISTOGRAM_RATIO: Final = 1.01
HISTOGRAM_BINS: Final = 1900
"""Bins of 1 % from 0.1 ms to about 16,000 s; the first and last take what lies beyond."""


class Fleet(NamedTuple):
    """Everything that the compiled event loop needs. Owned by one simulation."""

    lines: Floats  # (roles, LINES, TERMS) seconds
    limits: Records  # (roles,)
    promise: Records  # (1,)
    workers: Records  # (workers,)
    stage_free_s: Floats  # (workers, stages): when each stage of a prefill pipeline is free
    due: Integers  # (workers, sequences): a heap of the decode step after which each one ends
    member: Integers  # (workers, sequences): whose, as indices into requests
    requests: Records  # (slots,)
    free: Integers  # (slots,): a stack of unused slots
    events: Ranking  # by when each worker acts next
    prefill_rank: Ranking  # by when it would be free, absolute
    mixed_rank: Ranking  # by the seconds of work before a new prompt
    decode_rank: Ranking  # by the step that a new sequence would join
    buckets: Records  # (intervals,)
    ttft: Integers  # (intervals, HISTOGRAM_BINS)
    tpot: Integers
    totals: Records  # (1,)


def with_room_for(fleet: Fleet, requests: int) -> Fleet:
    """The fleet itself, or with larger arrays, such that so many requests can arrive."""
    free = int(fleet.totals[0]["free"])
    if free >= requests:
        return fleet
    old = fleet.requests.size
    added = max(old, requests - free)
    slots = np.concatenate([fleet.requests, np.zeros(added, REQUEST)])
    stack = np.zeros(old + added, np.int64)
    stack[:free] = fleet.free[:free]
    stack[free : free + added] = np.arange(old, old + added)
    fleet.totals[0]["free"] = free + added
    return fleet._replace(requests=slots, free=stack)
