"""``summary.json``: everything that a run found, in one versioned object.

Schema ``goodput.bench/2``; ``docs/bench.md`` has the table of all fields. Times are seconds, rates
per second, shares 0..1. Every stamp in ``records.jsonl`` and every window counts from ``origin``.
Fields may be added to a version; the number changes when one changes its meaning or goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

import goodput
from goodput.bench.results import CompareResult, SearchResult, SweepResult
from goodput.bench.run.runner import Outcome
from goodput.bench.wire.dialect import Dialect
from goodput.core.errors import UsageError
from goodput.core.goodput import WindowSummary, summarize
from goodput.core.slo import SLO
from goodput.core.slo_spec import Unloaded

Schema = Literal["goodput.bench/2"]
Verb = Literal["run", "sweep", "search", "compare"]
T = TypeVar("T")


class EndpointSummary(msgspec.Struct, kw_only=True):
    """A server that was loaded; ``name`` is the user's own word for it where there are several.

    ``dialect``: the optional request fields that it accepted. ``unloaded``: the latencies of
    requests that were alone on it, by kind, where they were measured.
    """

    name: str = ""
    url: str
    model: str
    dialect: Dialect
    unloaded: dict[str, Unloaded] = {}


class StepSummary(msgspec.Struct, kw_only=True):
    """One offered rate to one endpoint (named as in ``endpoints``), after an unmeasured warm-up.

    Its records are ``record_count`` lines of ``records.jsonl`` from line ``first_record`` (from 0)
    on, warm-up included. ``drained``: all requests ended within ``drain_s`` of the window.
    ``client_cpu_share`` is the load generator's own, 1.0 being one core. ``concurrency`` is the
    number of users of a closed loop, whose rate is what it came to; None is an open loop.
    """

    endpoint: str = ""
    concurrency: int | None = None
    warmup_s: float
    drain_s: float
    drained: bool
    client_cpu_share: float
    first_record: int
    record_count: int
    figures: WindowSummary

    @property
    def label(self) -> str:
        """``2 req/s`` or ``8 users``, and of which endpoint where there are several."""
        load = f"{self.figures.rate:.4g} req/s"
        if self.concurrency is not None:
            load = f"{self.concurrency} users in a closed loop"
        return load + (f" of {self.endpoint}" if self.endpoint else "")

    def of(self, records: Sequence[T]) -> Sequence[T]:
        """This step's part of all the run's records."""
        return records[self.first_record : self.first_record + self.record_count]


class BenchSummary(msgspec.Struct, kw_only=True):
    """One run. ``verdict`` comes first: ``valid``, or ``INVALID`` and why.

    ``origin`` is the machine's monotonic clock at ``started_at`` (UTC). ``records`` counts the
    lines of ``records.jsonl``. ``valid``: not interrupted, and no step has anything in
    ``figures.invalid``. ``search``, ``sweep`` and ``compare`` are what those verbs found.
    """

    verdict: str = "INVALID: nothing was measured"
    schema: Schema = "goodput.bench/2"
    goodput_version: str = goodput.__version__
    verb: Verb = "run"
    endpoints: list[EndpointSummary]
    workload: str
    arrivals: str
    seed: int
    started_at: str = msgspec.field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds")
    )
    origin: float
    interrupted: bool = False
    valid: bool = False
    records: int = 0
    steps: list[StepSummary] = []
    search: SearchResult | None = None
    sweep: SweepResult | None = None
    compare: CompareResult | None = None

    @property
    def model(self) -> str:
        """The model's name, each once where endpoints differ."""
        return ", ".join(dict.fromkeys(endpoint.model for endpoint in self.endpoints))

    @property
    def url(self) -> str:
        """The server's address, or ``name=address`` of each where there are several."""
        return ", ".join(
            f"{endpoint.name}={endpoint.url}" if endpoint.name else endpoint.url
            for endpoint in self.endpoints
        )

    @property
    def load(self) -> str:
        """What was offered, in words."""
        return f"workload {self.workload}, arrivals {self.arrivals}"

    @property
    def closed_loop(self) -> bool:
        """Whether users wait for answers: then the load adapts, and no goodput is claimed."""
        return any(step.concurrency is not None for step in self.steps)

    def add(self, outcome: Outcome, slo: SLO | None, drain_s: float, *, endpoint: str = "") -> None:
        """Judge one step's outcome; a step that was stopped in its warm-up has no figures.

        Its records must be the next ones in ``records.jsonl``.
        """
        self.interrupted = self.interrupted or outcome.interrupted
        if outcome.window.seconds > 0:
            figures = summarize(
                outcome.records, window=outcome.window, slo=slo, rate=outcome.step.rate
            )
            if outcome.interrupted:
                figures.invalid.append(f"interrupted after {outcome.window.seconds:.1f} s")
            self.steps.append(
                StepSummary(
                    endpoint=endpoint,
                    concurrency=outcome.concurrency,
                    warmup_s=outcome.step.warmup,
                    drain_s=drain_s,
                    drained=outcome.drained,
                    client_cpu_share=outcome.client_cpu_share,
                    first_record=self.records,
                    record_count=len(outcome.records),
                    figures=figures,
                )
            )
        self.records += len(outcome.records)
        self.judge()

    def judge(self) -> None:
        """Say whether the run is valid, by what is known now."""
        reasons = self.invalid_reasons()
        self.valid = not reasons
        self.verdict = f"INVALID: {'; '.join(reasons)}" if reasons else "valid"

    def invalid_reasons(self) -> list[str]:
        """One sentence per reason, with the rate (and endpoint) that it concerns."""
        if not self.steps:
            return ["interrupted before anything was measured"]
        reasons = [
            f"at {step.label} {reason}" for step in self.steps for reason in step.figures.invalid
        ]
        return reasons or (["interrupted"] if self.interrupted else [])

    def to_json(self) -> bytes:
        """Indented JSON with a final newline; the verdict is on its first line."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"
        return text.replace(b"{\n  ", b"{ ", 1)


def read_summary(path: Path) -> BenchSummary:
    """Read ``summary.json``; raises UsageError that names the file and what is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    try:
        return msgspec.json.decode(data, type=BenchSummary)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is not a summary of goodput bench: {error}") from None
