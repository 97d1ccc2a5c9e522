"""When requests are due. :func:`parse_arrivals` reads every process as the user writes it."""

from __future__ import annotations

from goodput.bench.arrivals.base import Arrivals
from goodput.bench.arrivals.processes import Bursts, Constant, Gamma, Poisson, Ramp
from goodput.bench.arrivals.special import ClosedLoop, Recorded
from goodput.core.errors import UsageError
from goodput.core.units import parse_duration

FORMS = (
    "poisson",
    "constant",
    "gamma:0.5",
    "ramp:0..1",
    "burst:on=5s,off=15s",
    "trace",
    "closed:8",
)

__all__ = ["FORMS", "Arrivals", "ClosedLoop", "Recorded", "parse_arrivals"]


def parse_arrivals(text: str) -> Arrivals:
    """Read one of :data:`FORMS`; raises UsageError that quotes what is wrong."""
    name, _, parameters = text.strip().partition(":")
    try:
        match name, parameters:
            case "poisson", "":
                return Poisson()
            case "constant", "":
                return Constant()
            case "trace", "":
                return Recorded()
            case "gamma", _:
                return Gamma(float(parameters))
            case "closed", _:
                return ClosedLoop(int(parameters))
            case "ramp", _:
                low, high = parameters.split("..")
                return Ramp(float(low), float(high))
            case "burst", _:
                terms = dict(term.strip().split("=") for term in parameters.split(","))
                if terms.keys() == {"on", "off"}:
                    return Bursts(
                        on=parse_duration(terms["on"], "the on time of --arrivals burst"),
                        off=parse_duration(terms["off"], "the off time of --arrivals burst"),
                    )
    except ValueError:
        pass
    raise UsageError(f"--arrivals must be like one of {', '.join(FORMS)}, not {text!r}")
