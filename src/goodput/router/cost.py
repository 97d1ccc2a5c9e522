"""Predicted times and costs of running a request somewhere, in seconds.

A cost is the time that a placement takes from everybody: what the request waits for, and what the
requests that are there wait longer. Time beyond a promise counts ``LATE`` times.
"""

from __future__ import annotations

from typing import Final

from goodput.router.policy import Work, WorkerView

LATE: Final = 10.0
# How many decode steps a full worker is taken to need before a place becomes free.
_STEPS_UNTIL_ROOM: Final = 32
# So many tokens of an answer are weighed against its first one; its real length is not known.
_HORIZON_TOKENS: Final = 16
# Decodes that take more of the promised time leave prompts no room: promises are then given up.
_HOPELESS_SHARE: Final = 0.8
# Of a hand-off, besides the wait for the end of the decode worker's step.
_MESSAGES_S: Final = 1e-3


def first_token_s(view: WorkerView, work: Work) -> float:
    """Seconds until ``view`` would have computed the prompts before this one, and this one."""
    tokens = view.queued_tokens + work.uncached(view.name)
    alone = tokens * view.speeds.prefill_token_s
    if not view.sequences:
        return alone
    step = view.speeds.step_s(view.sequences)
    if not _is_paced(view, step):
        return alone + -(-tokens // view.chunk_tokens) * step
    # The worker spends its sequences' slack on prompts, then what their decodes leave of the time.
    after_slack = max(0.0, alone - max(0.0, view.load.slack_s or 0.0))
    return alone - after_slack + step + after_slack / prompt_share(view)


def prompt_share(view: WorkerView) -> float:
    """The share of its time that ``view`` can spend on prompts in the long run, above 0."""
    if not view.sequences:
        return 1.0
    step = view.speeds.step_s(view.sequences)
    if _is_paced(view, step):
        assert view.load.pace_s is not None
        return 1 - step / view.load.pace_s
    chunk_s = view.chunk_tokens * view.speeds.prefill_token_s
    return chunk_s / (chunk_s + step)


def prompt_cost(view: WorkerView, work: Work) -> float:
    """Of computing the prompt at ``view``: its time, and that of all who wait meanwhile."""
    seconds = first_token_s(view, work)
    return seconds + lateness(work, seconds) + others_wait(view, work)


def lateness(work: Work, seconds: float) -> float:
    """What it counts more when the first token comes after ``seconds``."""
    if work.first_token_s is None:
        return 0.0
    return LATE * max(0.0, seconds - work.first_token_s)


def others_wait(view: WorkerView, work: Work) -> float:
    """What others wait while ``view`` computes the prompt: answers there, and prompts behind it."""
    seconds = work.uncached(view.name) * view.speeds.prefill_token_s
    cost = 0.0
    if view.sequences and not _is_paced(view, view.speeds.step_s(view.sequences)):
        cost += view.sequences * seconds * (1.0 if view.load.pace_s is None else LATE)
    if view.role != "decode":  # What waits at the router waits for the others.
        cost += work.token_wait_s * work.uncached(view.name)
    return cost


def answer_cost(view: WorkerView, work: Work) -> float:
    """Of decoding at ``view``: waiting for room, its tokens, and others' longer steps."""
    others = view.sequences
    before, step = view.speeds.step_s(others), view.speeds.step_s(others + 1)
    tokens = min(work.answer_tokens, _HORIZON_TOKENS)
    each = step + others * (step - before)
    if work.tpot_s is not None:
        each += LATE * max(0.0, step - work.tpot_s)
    if view.load.pace_s is not None:
        each += LATE * others * max(0.0, step - max(before, view.load.pace_s))
    cost = room_s(view, work) + tokens * each
    if view.role != "decode":
        cost += view.queue_s  # Prompts that are there already take turns with its tokens.
    if view.role == "prefill":
        cost += tokens * step  # Its tokens take turns with prompts that are still to come.
    return cost


def handoff_s(view: WorkerView) -> float:
    """Seconds to take over a computed prompt: half a step passes before it is looked at."""
    return _MESSAGES_S + view.speeds.step_s(view.sequences) / 2 * bool(view.sequences)


def room_s(view: WorkerView, work: Work) -> float:
    """Seconds that the sequence would wait for a place or for blocks; 0 where there is room."""
    over = max(0, view.sequences + 1 - view.max_sequences)
    # Blocks of a prompt stay where it was computed; the decode side needs the rest.
    if work.blocks > view.load.free_blocks and view.sequences:
        over = max(over, 1)
    rounds = -(-over // view.max_sequences)
    return rounds * _STEPS_UNTIL_ROOM * view.speeds.step_s(view.sequences)


def _is_paced(view: WorkerView, step_s: float) -> bool:
    """Whether the worker keeps its sequences' promises while it computes prompts."""
    return view.load.pace_s is not None and step_s < _HOPELESS_SHARE * view.load.pace_s
