"""Times as people write them: ``60s``, ``1.5m``, ``400ms``."""

from __future__ import annotations

import math
import re

from goodput.core.errors import UsageError

SECONDS_PER = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(us|ms|s|m|h)?\s*")


def parse_duration(text: str, name: str) -> float:
    """Seconds from ``"60s"``, ``"1.5m"``, ``"400ms"`` or a bare number of seconds (0 is allowed).

    Raises UsageError that names the option ``name`` and quotes the text.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"{name} must be a time like 60s, 1.5m or 400ms, not {text!r}")
    seconds = float(match[1]) * SECONDS_PER[match[2] or "s"]
    if not math.isfinite(seconds):
        raise UsageError(f"{name} must be a time like 60s, 1.5m or 400ms, not {text!r}")
    return seconds
