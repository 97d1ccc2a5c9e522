"""Bounds as people give them: in milliseconds, or as multiples of the unloaded latency."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from goodput.core.errors import InvalidRequestError
from goodput.core.slo import SLO
from goodput.core.units import SECONDS_PER

_TERM = re.compile(r"\s*(ttft|tpot|e2e)\s*=\s*([0-9]*\.?[0-9]+)\s*(us|ms|s|m|x)\s*")
BoundName = Literal["ttft", "tpot", "e2e"]
BOUNDS: tuple[BoundName, ...] = ("ttft", "tpot", "e2e")


class Unloaded(msgspec.Struct, frozen=True, kw_only=True):
    """Median latencies in seconds of ``count`` typical requests that were alone on the server.

    ``tpot`` is None when no answer had two tokens.
    """

    count: int
    ttft: float
    tpot: float | None
    e2e: float

    def multiples(self, slo: SLO) -> dict[str, float]:
        """Each bound of ``slo`` divided by the unloaded latency, where both are known."""
        found: dict[str, float] = {}
        for name in BOUNDS:
            bound, alone = getattr(slo, name), getattr(self, name)
            if bound is not None and alone:
                found[name] = bound / alone
        return found


class SLOSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An SLO some of whose bounds may be multiples: ``times`` holds those, ``fixed`` the others."""

    fixed: SLO
    times: dict[str, float] = {}

    @classmethod
    def parse(cls, text: str, *, target: float = 0.90) -> SLOSpec:
        """Read ``"ttft=400ms,tpot=2x"``; raises InvalidRequestError that quotes the bad term."""
        fixed: dict[str, float] = {}
        times: dict[str, float] = {}
        for term in text.split(","):
            match = _TERM.fullmatch(term)
            if match is None:
                raise InvalidRequestError(
                    f"the SLO term {term.strip()!r} is not like ttft=400ms, tpot=2x or e2e=2s",
                    param="slo",
                )
            name, number, unit = match.groups()
            if name in fixed or name in times:
                raise InvalidRequestError(f"the SLO bounds {name} twice", param="slo")
            if not float(number) > 0:
                raise InvalidRequestError(f"slo.{name} must be positive", param=f"slo.{name}")
            if unit == "x":
                times[name] = float(number)
            else:
                fixed[name] = float(number) * SECONDS_PER[unit]
        return cls(fixed=SLO(target=target, **fixed), times=times)

    def resolve(self, unloaded: Unloaded | None) -> SLO:
        """All bounds in seconds; ``unloaded`` is needed only where there are multiples.

        Raises InvalidRequestError when a multiple has nothing to be a multiple of.
        """
        bounds: dict[str, float] = {}
        for name, factor in self.times.items():
            alone = None if unloaded is None else getattr(unloaded, name)
            if not alone:
                raise InvalidRequestError(
                    f"slo.{name} is a multiple of the unloaded latency, which is not known",
                    param=f"slo.{name}",
                )
            bounds[name] = factor * alone
        return msgspec.structs.replace(self.fixed, **bounds)
