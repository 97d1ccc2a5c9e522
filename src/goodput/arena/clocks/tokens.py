"""Latency computed from the tokens alone: the same on any hardware."""

from __future__ import annotations

from typing import ClassVar

from goodput.arena.clocks.base import ComputedClock
from goodput.arena.episode.record import ClockKind
from goodput.arena.players.base import Decision
from goodput.core.errors import UsageError


class TokensClock(ComputedClock):
    """A decision takes ``ttft_s`` seconds for each of its calls, and its output tokens at
    ``tokens_per_s``. Programs make no calls, so they think in no time."""

    kind: ClassVar[ClockKind] = "tokens"

    def __init__(self, ttft_s: float, tokens_per_s: float, slow_down: float = 1.0) -> None:
        super().__init__(slow_down)
        if not 0 <= ttft_s < float("inf"):
            raise UsageError(f"the time to first token must be at least 0 s, not {ttft_s:g}")
        if not 0 < tokens_per_s < float("inf"):
            raise UsageError(f"the token rate must be a positive number, not {tokens_per_s:g}")
        self.ttft_s = ttft_s
        self.tokens_per_s = tokens_per_s

    def thinking_s(self, decision: Decision) -> float:
        return self.ttft_s * decision.calls + decision.output_tokens / self.tokens_per_s
