"""Service level objectives: the one definition of what was promised and whether it was kept.

docs/metrics.md explains each figure. Times are seconds throughout; only printing uses other units,
and ``slo_spec.py``, which reads what people write.
"""

from __future__ import annotations

import msgspec

from goodput.core.errors import InvalidRequestError


class SLO(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Joint upper bounds on one request, in seconds; ``None`` is unbounded.

    ``target`` is the share of requests that must meet all bounds (attainment target).
    """

    ttft: float | None = None
    tpot: float | None = None
    e2e: float | None = None
    target: float = 0.90

    def __post_init__(self) -> None:
        for name in ("ttft", "tpot", "e2e"):
            bound = getattr(self, name)
            if bound is not None and not 0 < bound < float("inf"):
                raise InvalidRequestError(
                    f"slo.{name} must be a positive time, not {bound}", param=f"slo.{name}"
                )
        if not 0 < self.target <= 1:
            raise InvalidRequestError(
                f"slo.target must lie in (0, 1], not {self.target}", param="slo.target"
            )

    def scaled(self, factor: float) -> SLO:
        """Every bound times ``factor`` (the SLO scale of the DistServe paper)."""
        return SLO(
            ttft=None if self.ttft is None else self.ttft * factor,
            tpot=None if self.tpot is None else self.tpot * factor,
            e2e=None if self.e2e is None else self.e2e * factor,
            target=self.target,
        )

    def met_by(self, *, ttft: float | None, tpot: float | None, e2e: float | None) -> bool:
        """Whether every bound holds for these times of one request that ended without error.

        A ``tpot`` of None (a one-token answer) meets its bound; a missing ``ttft`` or ``e2e``
        does not.
        """
        if self.ttft is not None and (ttft is None or ttft > self.ttft):
            return False
        if self.tpot is not None and tpot is not None and tpot > self.tpot:
            return False
        return not (self.e2e is not None and (e2e is None or e2e > self.e2e))

    def __str__(self) -> str:
        bounds = [
            f"{name.upper()} ≤ {getattr(self, name) * 1e3:.0f} ms"
            for name in ("ttft", "tpot", "e2e")
            if getattr(self, name) is not None
        ]
        return ", ".join(bounds) + f" for {self.target:.0%}"
