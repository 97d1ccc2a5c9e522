"""How many workers the traffic needs: its work over what one worker can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from goodput.control.planner.policy import Needs
from goodput.control.planner.traffic import Traffic

# A queue of prompts counts as the work that would clear it in so many seconds.
_CLEAR_QUEUE_S: Final = 2.0
# Answers at the very bound would miss it half of the time.
_SHARE_OF_TPOT: Final = 0.9


@dataclass(frozen=True, slots=True)
class Load:
    """What is at the workers now: prompt tokens not computed yet, and sequences that decode."""

    queued_prompt_tokens: int = 0
    decoding: int = 0


class Costs(Protocol):
    """What steps cost a worker: learned from its steps (``StepCosts``), or a profile's."""

    @property
    def prefill_token_s(self) -> float | None:
        """Seconds of one prompt token; None while too little is known."""

    def decode_step_s(self, sequences: float) -> float | None:
        """Seconds of a step that decodes so many sequences; None while too little is known."""

    def sequences_within(self, tpot: float | None, most: int) -> float:
        """How many sequences (1 to ``most``) a worker gives a token every ``tpot`` s each."""


def needs_of(traffic: Traffic, load: Load, costs: Costs, max_sequences: int) -> Needs | None:
    """Needs of the window's traffic; None while it is not known what its work costs.

    The decode side is asked for twice: by the sequences that are there, which tells of a change at
    once, and by the rate of tokens asked for, which a side that is behind cannot hide.
    """
    prompt_tokens = traffic.prompt_token_rate * (1 - traffic.cached_share)
    prompt_tokens += load.queued_prompt_tokens / _CLEAR_QUEUE_S
    token_s = costs.prefill_token_s
    if token_s is None and prompt_tokens:
        return None
    prefill = prompt_tokens * (token_s or 0.0)
    answer_tokens = traffic.request_rate * max(0.0, traffic.answer_tokens - 1)
    if not (answer_tokens or load.decoding):
        return Needs(prefill, 0.0)
    tpot = None if traffic.tpot is None else traffic.tpot * _SHARE_OF_TPOT
    batch = costs.sequences_within(tpot, max_sequences)
    step_s = costs.decode_step_s(batch)
    if step_s is None:
        return None
    return Needs(prefill, max(load.decoding / batch, answer_tokens * step_s / batch))
