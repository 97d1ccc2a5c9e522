"""A finished request's figures: OpenAI's usage, our timings, and whether its SLO was met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from goodput.core.timeline import Spans
from goodput.frontend.choice import Choice
from goodput.frontend.job import Job


@dataclass(slots=True, frozen=True)
class Report:
    """Times in seconds, on the server's side of the socket; definitions in docs/metrics.md.

    With several choices: ``ttft`` is the first token of any, ``tpot`` the slowest choice's, and
    ``spans`` are those of the choice that ended last. ``handoff`` is None without a hand-off.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    ttft: float | None
    tpot: float | None
    e2e: float
    spans: Spans
    handoff: float | None
    slo_met: bool | None

    def usage(self) -> dict[str, Any]:
        """OpenAI's ``usage`` object."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }

    def goodput(self) -> dict[str, Any]:
        """Our extension: where the time went, in milliseconds."""
        return {
            "spans_ms": {
                name: _ms(value) for name, value in msgspec.structs.asdict(self.spans).items()
            },
            "ttft_ms": _ms(self.ttft),
            "tpot_ms": _ms(self.tpot),
            "e2e_ms": _ms(self.e2e),
            "handoff_ms": _ms(self.handoff),
            "slo_met": self.slo_met,
            "cached_tokens": self.cached_tokens,
        }


def make_report(job: Job, choices: Sequence[Choice], finished: float) -> Report:
    """The figures of a job whose choices are complete, ``finished`` being the clock's time now."""
    firsts = [choice.first_token for choice in choices if choice.first_token is not None]
    ttft = min(firsts) - job.received if firsts else None
    tpots = [tpot for tpot in map(_tpot, choices) if tpot is not None]
    tpot = max(tpots, default=None)
    e2e = finished - job.received
    slowest = max(choices, key=lambda choice: choice.last_token or 0.0)
    timeline = slowest.timeline_until(finished)
    spans = timeline.spans()
    # Answers to the same prompt may read what the first of them computed: that was no saving.
    cached = sum(
        min(choice.cached_tokens for choice in choices[start : start + job.n])
        for start in range(0, len(choices), job.n)
    )
    met = None
    if job.slo is not None:
        met = bool(firsts) and job.slo.met_by(ttft=ttft, tpot=tpot, e2e=e2e)
    return Report(
        prompt_tokens=job.prompt_tokens,
        completion_tokens=sum(choice.tokens for choice in choices),
        cached_tokens=cached,
        ttft=ttft,
        tpot=tpot,
        e2e=e2e,
        spans=spans,
        handoff=None if timeline.accepted is None else spans.handoff,
        slo_met=met,
    )


def _tpot(choice: Choice) -> float | None:
    if choice.first_token is None or choice.last_token is None or choice.tokens < 2:
        return None
    return (choice.last_token - choice.first_token) / (choice.tokens - 1)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 3)
