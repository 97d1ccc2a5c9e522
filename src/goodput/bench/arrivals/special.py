"""Arrivals that are no process of their own: recorded times, and users who wait for answers."""

from __future__ import annotations

from dataclasses import dataclass

from goodput.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Recorded:
    """The workload's own times, stretched so that their mean is the rate; only traces have some."""

    @property
    def label(self) -> str:
        return "trace"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        raise UsageError("only a trace has arrivals of its own: choose another --arrivals")


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """``concurrency`` users, each of whom asks again only once answered. There is no rate.

    A slow server is asked less often, so the figures say nothing about goodput under a load.
    """

    concurrency: int

    def __post_init__(self) -> None:
        if not 1 <= self.concurrency <= 100_000:
            raise UsageError(f"a closed loop needs at least one user, not {self.concurrency}")

    @property
    def label(self) -> str:
        return f"closed loop of {self.concurrency}"

    def times(self, rate: float, start: float, end: float, seed: int) -> list[float]:
        raise UsageError("a closed loop has no arrival times of its own")
