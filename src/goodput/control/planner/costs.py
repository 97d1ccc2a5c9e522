"""What steps cost, learned from the workers' reports: the planner's idea of their capacity."""

from __future__ import annotations

import math
from typing import Final

from goodput.core.speeds import StepCost

# The first steps of a process are slow for reasons of their own: caches, compilation, page faults.
_COLD_STEPS: Final = 10
_MEMORY: Final = 0.998
_ENOUGH: Final = 10
# One frozen or preempted step must not outweigh hundreds of others.
_MOST_SURPRISE: Final = 4.0


class StepCosts:
    """Prompt steps as seconds per token, decode steps as a line over the number of sequences.

    All workers together: they run one model on cores of one kind. Old steps count ever less.
    """

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], int] = {}
        self._prefill_steps = 0
        self._prefill_seconds = 0.0
        self._prefill_tokens = 0.0
        self._decode_steps = 0
        # Decayed sums over decode steps of 1, x, y, x·x and x·y; x sequences, y seconds.
        self._sums = [0.0] * 5

    def observe(self, worker: str, incarnation: int, cost: StepCost) -> None:
        """Learn from one step of a process; the first ones are passed over."""
        steps = self._steps[worker, incarnation] = self._steps.get((worker, incarnation), 0) + 1
        if steps == 1:  # Its former lives are over.
            self._steps = {
                key: count
                for key, count in self._steps.items()
                if key[0] != worker or key[1] == incarnation
            }
        if steps <= _COLD_STEPS or not 0 < cost.seconds < math.inf:
            return
        if cost.prefill_tokens:
            self._observe_prefill(cost)
        elif cost.decode_tokens:
            self._observe_decode(cost.decode_tokens, cost.seconds)

    @property
    def prefill_token_s(self) -> float | None:
        """Seconds of one prompt token in the steps as they are; None while too little is known."""
        if self._prefill_steps < _ENOUGH or not self._prefill_tokens:
            return None
        return self._prefill_seconds / self._prefill_tokens

    def decode_step_s(self, sequences: float) -> float | None:
        """Seconds of a step that decodes so many sequences; None while too little is known."""
        if self._decode_steps < _ENOUGH:
            return None
        base, slope = self._line()
        return base + slope * sequences

    def sequences_within(self, tpot: float | None, most: int) -> float:
        """How many sequences (1 to ``most``) a worker gives a token every ``tpot`` s each."""
        if tpot is None or self._decode_steps < _ENOUGH:
            return most
        base, slope = self._line()
        if base + slope * most <= tpot:
            return most
        return max(1.0, (tpot - base) / slope) if slope > 0 else 1.0

    def _observe_prefill(self, cost: StepCost) -> None:
        seconds = cost.seconds
        if cost.decode_tokens and self._decode_steps >= _ENOUGH:
            # The prompt pays for what it adds to a step that would have been there anyway.
            _, slope = self._line()
            seconds = max(seconds - slope * cost.decode_tokens, seconds / 2)
        known = self.prefill_token_s
        if known is not None:
            # A short chunk pays the fixed cost of a step for few tokens: no surprise by itself.
            fixed, _ = self._line() if self._decode_steps >= _ENOUGH else (seconds, 0.0)
            seconds = min(seconds, fixed + _MOST_SURPRISE * known * cost.prefill_tokens)
        self._prefill_steps += 1
        self._prefill_seconds = _MEMORY * self._prefill_seconds + seconds
        self._prefill_tokens = _MEMORY * self._prefill_tokens + cost.prefill_tokens

    def _observe_decode(self, sequences: int, seconds: float) -> None:
        known = self.decode_step_s(sequences)
        if known is not None:
            seconds = min(seconds, _MOST_SURPRISE * known)
        self._decode_steps += 1
        x, y = float(sequences), seconds
        new = (1.0, x, y, x * x, x * y)
        self._sums = [_MEMORY * old + add for old, add in zip(self._sums, new, strict=True)]

    def _line(self) -> tuple[float, float]:
        """Base and slope, neither below 0; flat while all steps had about as many sequences."""
        n, x, y, xx, xy = self._sums
        spread = xx - x * x / n
        slope = max(0.0, (xy - x * y / n) / spread) if spread > 0.1 * n else 0.0
        base = (y - slope * x) / n
        return (base, slope) if base > 0 else (0.0, y / x)
