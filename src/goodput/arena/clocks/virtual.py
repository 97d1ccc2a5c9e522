"""Measured latency, turned into game frames."""

from __future__ import annotations

from typing import ClassVar

from goodput.arena.clocks.base import ComputedClock
from goodput.arena.episode.record import ClockKind
from goodput.arena.players.base import Decision


class VirtualClock(ComputedClock):
    """Thinking takes as long as it was measured to, times ``slow_down``.

    Two seats that are asked at the same frame are measured side by side; one that is asked while
    the other is still charged for its last answer is measured alone. Use the wall clock where their
    load on one server is the point.
    """

    kind: ClassVar[ClockKind] = "virtual"

    def thinking_s(self, decision: Decision) -> float:
        return decision.latency_s
