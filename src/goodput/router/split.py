"""Where to split a prompt between the worker that computes prompts and the one that decodes.

The decode worker's answers have slack: until one of them is due, prompt rows delay nobody. A prompt
whose end fits into that slack leaves the prefill worker so much earlier, which is worth something
to those that wait for it; the request itself waits for one hand-over and one step more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from goodput.router.cost import first_token_s, handoff_s, lateness, others_wait
from goodput.router.policy import Work, WorkerView


@dataclass(slots=True, frozen=True)
class Split:
    """The first worker computes positions up to ``at``. ``cost`` is of the whole prompt, without
    the answer; ``first_token_s`` is when it ends. Both in seconds."""

    at: int
    first_token_s: float
    cost: float


def best_split(first: WorkerView, second: WorkerView, work: Work) -> Split | None:
    """Leave ``second`` as many of the last tokens as its answers' slack has room for.

    None where that is nothing, or all: then one of them computes the prompt alone.
    """
    size = work.block_size
    at = -(-(work.tokens - _room(second)) // size) * size
    if not work.cached_tokens.get(first.name, 0) < at < work.tokens:
        return None
    rest = work.tokens - at
    part = replace(work, tokens=at)
    seconds = (
        first_token_s(first, part)
        + handoff_s(second)
        + rest * second.speeds.prefill_token_s
        + second.speeds.step_s(second.sequences)
    )
    cost = seconds + lateness(work, seconds) + others_wait(first, part)
    return Split(at, seconds, cost)


def _room(view: WorkerView) -> int:
    """Prompt tokens that ``view`` can compute before an answer of its is due."""
    slack = view.load.slack_s
    if slack is None or not view.sequences:
        return 0
    free = slack - view.queue_s - view.speeds.step_s(view.sequences)
    return max(0, int(free / view.speeds.prefill_token_s))
