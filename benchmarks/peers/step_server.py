"""The answering side of `line_process.py`. The standard library only: every environment runs it.

A step feeds ``rows`` new tokens to each of ``sequences``, which have ``before`` tokens in the cache
already, and computes the logits of each sequence's last token:

    {"variant": "Q4_0, flash", "rows": 1, "sequences": 8, "before": 255}    {"seconds": 0.031}
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LEAST_SECONDS = 0.2
"""An answer is the mean of as many steps as last this long."""

WARM_SECONDS = 1.0
"""A first step shorter than this only warms up; a longer one hardly gains by a second."""

Step = Callable[[], float]
"""Runs once; the seconds that count."""


def answer_lines(greeting: Mapping[str, Any], respond: Callable[[Any], Mapping[str, Any]]) -> None:
    """Say the greeting, then answer each line of stdin with one, until it ends."""
    print(json.dumps(greeting), flush=True)
    for line in sys.stdin:
        print(json.dumps(respond(json.loads(line))), flush=True)


def serve_steps(version: str, variants: Sequence[str], make_step: Callable[..., Step]) -> None:
    """Time steps on request. ``make_step(variant=, rows=, sequences=, before=)`` makes one; only
    the latest is kept, so that a step's cache is gone before the next one's is made."""
    made: dict[str, Any] = {}
    step: Step | None = None

    def respond(request: dict[str, Any]) -> dict[str, float]:
        nonlocal made, step
        seconds: list[float] = []
        if step is None or request != made:
            step = None
            made, step = request, make_step(**request)
            first = step()
            seconds += [first] if first >= WARM_SECONDS else []
        while sum(seconds) < LEAST_SECONDS:
            seconds.append(step())
        return {"seconds": sum(seconds) / len(seconds)}

    answer_lines({"version": version, "variants": list(variants)}, respond)


def stopwatch(work: Callable[[], object]) -> Step:
    """A step that is nothing but ``work``."""

    def step() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return step
