"""The game waits for the player, as in most benchmarks of models at games."""

from __future__ import annotations

from typing import ClassVar

from goodput.arena.clocks.base import ComputedClock
from goodput.arena.episode.record import ClockKind
from goodput.arena.players.base import Decision


class PausedClock(ComputedClock):
    """Thinking takes no time. A real-time game still moves between two decisions of a seat (the
    runner's cadence), or nothing in it would ever fall."""

    kind: ClassVar[ClockKind] = "paused"

    def thinking_s(self, decision: Decision) -> float:
        return 0.0
