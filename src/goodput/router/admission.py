"""Whether a promise can be kept: a pure prediction over views and the requests that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.router.cost import first_token_s, prompt_share
from goodput.router.policy import Work, WorkerView
from goodput.router.queue import Turn

# What is taken on is taken on for good, so predictions must hold with something to spare.
_SURE_SHARE: Final = 0.9
_RETRY_FULL_S: Final = 1.0


def seconds_too_late(
    work: Work,
    turn: Turn,
    waiting: Sequence[Turn],
    fleet: Sequence[WorkerView],
    now: float,
    *,
    conditional: bool,
) -> float:
    """By how many seconds a promise would be broken if the request came in; 0: all can be kept.

    Promises are the request's own, and those of the requests in ``waiting`` (least slack first)
    that it would push back. Nothing is predicted of workers that have computed nothing yet.
    """
    computing = [view for view in fleet if conditional or view.role != "decode"]
    decoding = [view for view in fleet if conditional or view.role != "prefill"]
    late = 0.0
    if computing and all(view.speeds.seen_prefill for view in computing):
        late = _prompts_too_late(work, turn, waiting, computing, now)
    if not late and decoding and all(view.speeds.seen_decode for view in decoding):
        shared = len(waiting) / len(decoding)
        if not any(_keeps_pace(view, work, shared) for view in decoding):
            late = _RETRY_FULL_S
    return late


def _prompts_too_late(
    work: Work, turn: Turn, waiting: Sequence[Turn], computing: Sequence[WorkerView], now: float
) -> float:
    """All prompts in the order of their slack, shared evenly by the workers."""
    if work.first_token_s is not None:
        alone = min(first_token_s(view, work) for view in computing)
        if alone > _SURE_SHARE * work.first_token_s:
            return alone - _SURE_SHARE * work.first_token_s
    token_s = 1 / sum(prompt_share(view) / view.speeds.prefill_token_s for view in computing)
    start = now + min(view.queue_s / prompt_share(view) for view in computing)
    late = 0.0
    placed = False
    for other in waiting:
        if other.priority > turn.priority:
            continue  # It goes after this one, and was promised nothing better.
        if not placed and other.start_by > turn.start_by:
            placed = True
            late = max(late, start - _sure(turn))
            start += turn.tokens * token_s
        if placed and other.start_by >= now:
            late = max(late, start - _sure(other))
        start += other.tokens * token_s
    if not placed:
        late = max(late, start - _sure(turn))
    return max(0.0, late)


def _sure(turn: Turn) -> float:
    return turn.arrived + _SURE_SHARE * (turn.start_by - turn.arrived)


def _keeps_pace(view: WorkerView, work: Work, coming: float) -> bool:
    """Whether the answer, and those there, would still get their tokens in time at ``view``."""
    sequences = view.sequences + coming + 1
    bounds = [bound for bound in (work.tpot_s, view.load.pace_s) if bound is not None]
    if not bounds:
        return True
    step = view.speeds.step_s(sequences)
    return sequences <= view.max_sequences and step <= _SURE_SHARE * min(bounds)
