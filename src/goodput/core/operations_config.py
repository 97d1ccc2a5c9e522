"""The parts of a deployment that run it: the planner's bounds and what health checks expect."""

from __future__ import annotations

import msgspec

from goodput.core.errors import UsageError

_DAY_S = 86_400


class PlannerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the runtime planner may do, and how fast. Times in seconds.

    It keeps between ``min_workers`` and ``max_workers`` workers (None: as many as ``workers``
    says), and no more than ``cores`` hold at ``engine.threads`` each (None: no such bound). It
    judges the traffic of the last ``window_s`` every ``interval_s``. What it wants has to last for
    ``react_s`` (``relax_s`` for fewer workers), and ``cooldown_s`` must have passed since its last
    change.

    Pressure is the work of the window over what the workers can do; above ``high`` it acts, and it
    removes a worker when pressure would stay below ``low`` without it. A change must lower pressure
    by the share ``margin``. ``drain_s`` is how long requests may go on at a drained worker before
    they go on elsewhere.
    """

    enabled: bool = False
    min_workers: int | None = None
    max_workers: int | None = None
    cores: int | None = None
    interval_s: float = 0.5
    window_s: float = 10.0
    react_s: float = 1.0
    relax_s: float = 30.0
    cooldown_s: float = 1.0
    high: float = 0.8
    low: float = 0.4
    margin: float = 0.15
    drain_s: float = 0.5

    def bounds(self, workers: int, threads: int) -> tuple[int, int]:
        """Least and most workers of a deployment that starts with ``workers``."""
        least = workers if self.min_workers is None else self.min_workers
        most = workers if self.max_workers is None else self.max_workers
        return least, most if self.cores is None else min(most, self.cores // threads)

    def check(self, prefill: int, decode: int, mixed: int, threads: int) -> None:
        """Raise UsageError with the field's name when the values cannot work together."""
        for name in ("interval_s", "window_s", "react_s", "relax_s", "cooldown_s", "drain_s"):
            if not 0 < getattr(self, name) < _DAY_S:
                raise UsageError(f"planner.{name} must be a positive time under a day, in seconds")
        if not 0 < self.low < self.high < 1:
            raise UsageError(
                f"planner.low ({self.low}) and planner.high ({self.high}) must be shares of 1, "
                "low below high"
            )
        if not 0 < self.margin < 1:
            raise UsageError(f"planner.margin must lie in (0, 1), not {self.margin}")
        if not self.enabled:
            return
        if mixed and prefill:
            raise UsageError(
                "planner.enabled needs prefill and decode workers, or mixed ones alone: "
                "set workers.mixed, or workers.prefill and workers.decode, to 0"
            )
        workers = prefill + decode + mixed
        least, most = self.bounds(workers, threads)
        fewest = 1 if mixed else 2
        if least < fewest:
            raise UsageError(f"planner.min_workers must be at least {fewest} here, not {least}")
        if not least <= workers <= most:
            raise UsageError(
                f"workers has {workers}, but planner.min_workers, planner.max_workers and "
                f"planner.cores allow {least} to {most}"
            )


class HealthConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a worker that still sends heartbeats is held to be unwell. Times in seconds.

    One that computed nothing for ``canary_idle_s`` gets a canary, a request for one token (0: none
    are sent), and is killed when it has not answered within ``canary_timeout_s``. One whose steps
    take ``slow_factor`` times as long as its peers', or its own before (0: never looked at), for
    ``slow_after_s`` is drained and replaced.
    """

    canary_idle_s: float = 20.0
    canary_timeout_s: float = 10.0
    slow_factor: float = 4.0
    slow_after_s: float = 5.0

    def check(self) -> None:
        """Raise UsageError with the field's name when a value cannot work."""
        for name in ("canary_timeout_s", "slow_after_s"):
            if not 0 < getattr(self, name) < _DAY_S:
                raise UsageError(f"health.{name} must be a positive time under a day, in seconds")
        if not 0 <= self.canary_idle_s < _DAY_S:
            raise UsageError("health.canary_idle_s must be 0 (no canaries) or a time under a day")
        if self.slow_factor != 0 and not 1.5 <= self.slow_factor < 1000:
            raise UsageError(
                f"health.slow_factor must be 0 (off) or at least 1.5, not {self.slow_factor}"
            )
