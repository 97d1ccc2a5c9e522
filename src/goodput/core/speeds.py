"""How fast one worker is, learned from its steps: for its own scheduler and for the router."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

_WEIGHT: Final = 0.2
# The slope over the batch's size needs a longer memory than the means: batches change slowly.
_SLOPE_WEIGHT: Final = 0.05
_LEAST_SPREAD: Final = 0.1


class StepCost(msgspec.Struct, array_like=True):
    """What a step computed and how long it took."""

    seconds: float
    prefill_tokens: int
    decode_tokens: int


@dataclass(slots=True)
class Speeds:
    """Exponentially weighted means in seconds, started by the first observation.

    ``prefill_token_s``: one prompt token; ``decode_step_s``: a step of about ``batch`` sequences;
    ``sequence_s``: what one more sequence adds to such a step.
    """

    prefill_token_s: float = 1e-3
    decode_step_s: float = 0.02
    batch: float = 0.0
    sequence_s: float = 0.0
    seen_prefill: bool = False
    seen_decode: bool = False
    _spread: float = 0.0
    _together: float = 0.0

    def observe(self, cost: StepCost) -> None:
        """Learn from a step.

        A mixed step's time is charged to its prompt tokens after what its decodes usually take.
        """
        if cost.prefill_tokens:
            decode = min(self.step_s(cost.decode_tokens), cost.seconds / 2)
            seconds = cost.seconds - (decode if cost.decode_tokens else 0.0)
            weight = _WEIGHT if self.seen_prefill else 1.0
            self.prefill_token_s += weight * (seconds / cost.prefill_tokens - self.prefill_token_s)
            self.seen_prefill = True
        elif cost.decode_tokens:
            self._observe_decode(cost.decode_tokens, cost.seconds)

    def step_s(self, sequences: float) -> float:
        """Seconds of a step that decodes so many sequences."""
        seconds = self.decode_step_s + self.sequence_s * (sequences - self.batch)
        return max(self.decode_step_s / 4, seconds)

    def _observe_decode(self, sequences: int, seconds: float) -> None:
        if not self.seen_decode:
            self.batch, self.decode_step_s, self.seen_decode = sequences, seconds, True
            return
        more, longer = sequences - self.batch, seconds - self.decode_step_s
        self.batch += _WEIGHT * more
        self.decode_step_s += _WEIGHT * longer
        self._spread += _SLOPE_WEIGHT * (more * more - self._spread)
        self._together += _SLOPE_WEIGHT * (more * longer - self._together)
        if self._spread > _LEAST_SPREAD:
            self.sequence_s = max(0.0, self._together / self._spread)
