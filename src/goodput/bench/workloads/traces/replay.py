"""``trace``: a recorded workload, at its own pace or another."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

from goodput.bench.arrivals import Arrivals, Recorded
from goodput.bench.arrivals.base import check_rate
from goodput.bench.workloads.base import (
    Message,
    Natural,
    PlannedRequest,
    Timed,
    Workload,
    generator,
)
from goodput.bench.workloads.text import prose
from goodput.bench.workloads.traces.lines import read_lines
from goodput.bench.workloads.traces.rows import Row, Trace
from goodput.bench.workloads.traces.tables import read_table
from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.core.units import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How a trace is adapted. ``time_scale`` multiplies its times (2 is half as fast),
    ``length_scale`` the lengths of its prompts and answers; ``window`` is the part of it to use, in
    seconds of the trace's own time, before any scaling."""

    time_scale: float = 1.0
    length_scale: float = 1.0
    window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for option, value in (
            ("--time-scale", self.time_scale),
            ("--length-scale", self.length_scale),
        ):
            if not 0 < value < math.inf:
                raise UsageError(f"{option} must be a positive number, not {value}")


def parse_window(text: str) -> tuple[float, float]:
    """Read ``"0s..60s"``; raises UsageError."""
    start, dots, end = text.partition("..")
    if not dots:
        raise UsageError(f"--window must be like 0s..60s, not {text!r}")
    window = parse_duration(start, "--window"), parse_duration(end, "--window")
    if window[0] >= window[1]:
        raise UsageError(f"--window must end after it begins, not {text!r}")
    return window


class TraceWorkload(Workload):
    """The rows of a file. A step that is longer than the trace starts it over, with other words.

    Prompts are made of the stated lengths; two share a prefix exactly where the trace says so.
    """

    slo = SLO(ttft=4.0, tpot=0.100)

    def __init__(self, path: Path, replay: Replay | None = None) -> None:
        """Read the file; its format is recognised by its content. Raises UsageError."""
        replay = replay or Replay()
        trace = _read(path)
        first = trace.rows[0].at
        rows = [Row(row.at - first, row.blocks, row.answer_tokens) for row in trace.rows]
        # A tick's requests lie anywhere in it, so the trace lasts to its last tick's end.
        period = rows[-1].at + (trace.tick_s or rows[-1].at / max(1, len(rows) - 1) or 1.0)
        if replay.window is not None:
            start, end = replay.window
            rows = [
                Row(row.at - start, row.blocks, row.answer_tokens)
                for row in rows
                if start <= row.at < end
            ]
            period = min(end, period) - start
        if not rows:
            raise UsageError(f"--window has none of the requests of {path}")
        self.name = f"trace:{path.name}"
        self.natural = Natural(len(rows) / period / replay.time_scale, period * replay.time_scale)
        self._rows = rows
        self._tick_s = trace.tick_s
        self._period = period
        self._length_scale = replay.length_scale

    def request(self, seed: int, index: int) -> PlannedRequest:
        return self._write(self._rows[index % len(self._rows)], seed, index // len(self._rows))

    def plan(
        self, rate: float, start: float, end: float, seed: int, arrivals: Arrivals
    ) -> list[Timed]:
        """The trace's own times, stretched to the mean ``rate``, or those of other arrivals."""
        if not isinstance(arrivals, Recorded):
            return super().plan(rate, start, end, seed, arrivals)
        check_rate(rate, start, end)
        stretch = len(self._rows) / self._period / rate
        plan: list[Timed] = []
        for lap in itertools.count():
            if start + stretch * lap * self._period >= end:
                return plan
            for at, row in self._jittered(seed, lap):
                due = start + stretch * (lap * self._period + at)
                if due >= end:
                    break
                plan.append(Timed(due, self._write(row, seed, lap)))
        return plan

    def _jittered(self, seed: int, lap: int) -> list[tuple[float, Row]]:
        """Each row with its time, moved to a random place in its tick: ticks are no bursts."""
        if not self._tick_s:
            return [(row.at, row) for row in self._rows]
        rng = generator("jitter", seed, lap)
        moved = [(row.at + self._tick_s * rng.random(), row) for row in self._rows]
        return sorted(moved, key=lambda item: item[0])

    def _write(self, row: Row, seed: int, lap: int) -> PlannedRequest:
        text = " ".join(
            prose(generator("trace", seed, f"{lap}/{block.id}"), self._scaled(block.tokens))
            for block in row.blocks
        )
        return PlannedRequest(
            messages=(Message("user", text),),
            max_tokens=self._scaled(row.answer_tokens),
            kind=self.name,
            slo=self.slo,
        )

    def _scaled(self, tokens: int) -> int:
        return max(1, round(tokens * self._length_scale))


def _read(path: Path) -> Trace:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no trace: it is not text in UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot read the trace {path}: {error.strerror}") from None
    begin = lines[0].lstrip() if lines else ""
    trace = (read_lines if begin.startswith(("{", "[")) else read_table)(path, lines)
    if not trace.rows:
        raise UsageError(f"{path} has no requests")
    return trace
