"""What the timed server tells about itself after a step."""

from __future__ import annotations

import msgspec

PATH = "/v1/timings"


class Timing(msgspec.Struct, array_like=True):
    """One request, in seconds of CLOCK_MONOTONIC: when it was read, and just before each token
    was handed to the kernel."""

    received: float
    tokens: list[float]


class Timings(msgspec.Struct):
    """All requests since the last time that somebody asked, by the number in their prompt."""

    requests: dict[str, Timing] = {}
    cpu_s: float = 0.0
