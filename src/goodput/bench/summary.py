"""``summary.json``: everything that a run found, in one versioned object.

Schema ``goodput.bench/1``. Times are seconds, rates per second, shares 0..1.

- ``schema``, ``goodput_version``; ``url``, ``model``, ``workload``, ``arrivals``, ``seed``;
  ``dialect``: the optional request fields that the server accepted.
- ``started_at``: UTC wall time of the run's start; ``origin``: the same moment on the machine's
  monotonic clock. Every stamp in ``records.jsonl`` and every window counts from there.
- ``interrupted``: the user stopped the run; ``valid``: no step has anything in ``invalid``.
- ``steps``: one entry per offered rate, with its warm-up (not measured) and drain, whether all
  requests ended within the drain, the client's CPU share (1.0 is one core), and ``figures``,
  which is :class:`goodput.core.goodput.WindowSummary`.

Fields may be added to a version; the number changes when one changes its meaning or goes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

import goodput
from goodput.bench.run.runner import Outcome
from goodput.bench.wire.dialect import Dialect
from goodput.core.goodput import WindowSummary, summarize
from goodput.core.slo import SLO

Schema = Literal["goodput.bench/1"]


class StepSummary(msgspec.Struct, kw_only=True):
    """One offered rate."""

    warmup_s: float
    drain_s: float
    drained: bool
    client_cpu_share: float
    figures: WindowSummary


class BenchSummary(msgspec.Struct, kw_only=True):
    """One run; see the module's docstring."""

    schema: Schema = "goodput.bench/1"
    goodput_version: str = goodput.__version__
    url: str
    model: str
    workload: str
    arrivals: str
    seed: int
    dialect: Dialect
    started_at: str = msgspec.field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds")
    )
    origin: float
    interrupted: bool = False
    valid: bool = False
    steps: list[StepSummary] = []

    def add(self, outcome: Outcome, slo: SLO, drain_s: float) -> None:
        """Judge one step's outcome; a step that was stopped in its warm-up has no figures."""
        self.interrupted = self.interrupted or outcome.interrupted
        if outcome.window.seconds > 0:
            figures = summarize(
                outcome.records, window=outcome.window, slo=slo, rate=outcome.step.rate
            )
            if outcome.interrupted:
                figures.invalid.append(f"interrupted after {outcome.window.seconds:.1f} s")
            self.steps.append(
                StepSummary(
                    warmup_s=outcome.step.warmup,
                    drain_s=drain_s,
                    drained=outcome.drained,
                    client_cpu_share=outcome.client_cpu_share,
                    figures=figures,
                )
            )
        self.valid = (
            bool(self.steps)
            and not self.interrupted
            and all(step.figures.valid for step in self.steps)
        )

    def invalid_reasons(self) -> list[str]:
        """One sentence per reason, with the rate that it concerns."""
        if not self.steps:
            return ["interrupted before anything was measured"]
        return [
            f"at {step.figures.rate:g} req/s {reason}"
            for step in self.steps
            for reason in step.figures.invalid
        ]

    def to_json(self) -> bytes:
        """Indented JSON with a final newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"
