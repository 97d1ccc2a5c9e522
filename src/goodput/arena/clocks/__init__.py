"""How thinking time becomes game time: one clock a file."""

from __future__ import annotations

from goodput.arena.clocks.base import Clock
from goodput.arena.clocks.paused import PausedClock
from goodput.arena.clocks.tokens import TokensClock
from goodput.arena.clocks.virtual import VirtualClock
from goodput.arena.clocks.wall import WallClock
from goodput.arena.episode.record import ClockKind
from goodput.core.errors import UsageError

CLOCKS: tuple[ClockKind, ...] = ("paused", "virtual", "wall", "tokens")


def make_clock(
    kind: str = "virtual",
    *,
    slow_down: float = 1.0,
    ttft_s: float | None = None,
    tokens_per_s: float | None = None,
) -> Clock:
    """The clock of one episode, by name. ``ttft_s`` and ``tokens_per_s`` belong to "tokens", which
    needs both.

    Raises UsageError that names what is wrong.
    """
    if not 0 < slow_down < float("inf"):
        raise UsageError(f"the slow-down must be a positive number, not {slow_down:g}")
    fixed = ttft_s is not None or tokens_per_s is not None
    if kind == "tokens":
        if ttft_s is None or tokens_per_s is None:
            raise UsageError("the clock 'tokens' needs a time to first token and a token rate")
        return TokensClock(ttft_s, tokens_per_s, slow_down)
    if fixed:
        raise UsageError(f"the clock {kind!r} measures: only 'tokens' takes a fixed speed")
    if kind == "paused":
        if slow_down != 1.0:
            raise UsageError("the clock 'paused' never runs, so nothing can slow it down")
        return PausedClock()
    if kind == "virtual":
        return VirtualClock(slow_down)
    if kind == "wall":
        return WallClock(slow_down)
    raise UsageError(f"there is no clock {kind!r}: the clocks are {', '.join(CLOCKS)}")
