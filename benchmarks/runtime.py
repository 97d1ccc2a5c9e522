"""What the runtime costs: everything between a client and an engine that takes (almost) no time.

    python benchmarks/runtime.py [--dynamo-python PYTHON-WITH-ai-dynamo] [--rate 300]
        [--tokens 34] [--seconds 15] [--repeats 3] [--only NAME] [--json FILE]

Streaming chats come at a Poisson rate, through HTTP, to a server whose workers make tokens up.
Where a step takes no time, all that the client sees is the runtime's; where it takes 5 ms, those
are taken off. Servers take turns, so that a slow minute of the machine hits all of them. The client
runs on the same cores; its share is in the table. ``others`` is what had nothing to do with the
run: where it is not small, the times are the other programs' and only the processor time counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from goodput.bench.run.loop import new_loop
from goodput.core.config import WorkerCounts
from goodput.core.percentiles import percentile
from runtime_contenders import MODEL, bodies, dynamo, ours
from runtime_floor import floor_us
from runtime_load import Window, offer
from serving_contenders import Contender

_STEP_MS = 5.0
_WARMUP_S = 3.0
_REGISTERED_S = 60.0
_PAUSE_S = 1.0
_WIDTH = 160
_KINDS = ("frontend", "workers", "client")


@dataclass
class Case:
    """One row: a server, and what its engine's steps take in milliseconds."""

    contender: Contender
    step_ms: float
    windows: list[Window] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Medians over the windows; milliseconds, microseconds and shares of one core by name."""
        rows = [self._figures(window) for window in self.windows]
        return {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}

    def _figures(self, window: Window) -> dict[str, float]:
        first = window.outside_engine() if self.step_ms else window.ttft()
        each = [tpot - self.step_ms / 1e3 for tpot in window.tpot()]
        tokens = len(window.answered) * window.tokens
        figures = {
            "requests_per_s": len(window.streams) / window.seconds,
            "tokens_per_s": tokens / window.seconds,
            "failed": float(len(window.streams) - len(window.answered)),
        }
        for quantile in (50, 99):
            figures[f"first_token_p{quantile}_ms"] = _percentile_ms(first, quantile)
            figures[f"token_p{quantile}_ms"] = _percentile_ms(each, quantile)
            figures[f"late_p{quantile}_ms"] = _percentile_ms(window.lateness(), quantile)
        for kind in (*_KINDS, "others"):
            seconds = window.cpu_s.get(kind, 0.0)
            figures[f"{kind}_cores"] = seconds / window.seconds
            figures[f"{kind}_us_per_token"] = seconds / max(1, tokens) * 1e6
        return figures


def main() -> None:
    """Measure, print, and write the figures where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dynamo-python", help="interpreter that has ai-dynamo")
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second")
    parser.add_argument("--tokens", type=int, default=34, help="of each answer")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each window")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", help="cases that have this in their name")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = _cases(Path(folder), options.dynamo_python)
        cases = [case for case in cases if (options.only or "") in case.contender.name]
        for number in range(options.repeats):
            for case in cases if number % 2 == 0 else reversed(cases):
                _measure(case, options.rate, options.tokens, options.seconds, seed=number)
    load, floor = os.getloadavg()[0], floor_us()
    _print(cases, load, floor)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        rows = {case.contender.name: case.figures() for case in cases}
        results = {"load_average": load, "floor_us": floor, "cases": rows}
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def _cases(folder: Path, dynamo_python: str | None) -> list[Case]:
    mixed, pairs = WorkerCounts(prefill=0, decode=0, mixed=4), WorkerCounts(prefill=2, decode=2)
    cases = [
        Case(ours("ours, 4 mixed", mixed, 0.0, folder), 0.0),
        Case(ours("ours, 2 + 2", pairs, 0.0, folder), 0.0),
        Case(ours(f"ours, 4 mixed, {_STEP_MS:g} ms steps", mixed, _STEP_MS, folder), _STEP_MS),
        Case(ours(f"ours, 2 + 2, {_STEP_MS:g} ms steps", pairs, _STEP_MS, folder), _STEP_MS),
    ]
    if dynamo_python is not None:
        cases.insert(1, Case(dynamo("Dynamo, 4 mockers", dynamo_python, 4, folder), 0.0))
    return cases


def _measure(case: Case, rate: float, tokens: int, seconds: float, seed: int) -> None:
    with case.contender.running() as url:
        _wait_for_model(url)
        loop = new_loop()
        try:
            chats = bodies(tokens)
            loop.run_until_complete(offer(url, chats, rate / 2, tokens, _WARMUP_S, seed))
            time.sleep(_PAUSE_S)
            case.windows.append(
                loop.run_until_complete(offer(url, chats, rate, tokens, seconds, seed))
            )
        finally:
            loop.close()


def _wait_for_model(url: str) -> None:
    """Some servers are healthy before their workers have registered."""
    deadline = time.monotonic() + _REGISTERED_S
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{url}/v1/models") as response:
            if MODEL.encode() in response.read():
                return
        time.sleep(0.2)
    raise RuntimeError(f"no worker with {MODEL} registered within {_REGISTERED_S:g} s")


def _print(cases: list[Case], load: float, floor: dict[str, float]) -> None:
    columns = ("", "req/s", "tok/s", "failed", "+ first token, ms", "+ each token, ms")
    table = Table(*columns, "cores: frontend", "workers", "client", "others", "late, ms")
    for case in cases:
        row = case.figures()
        table.add_row(
            case.contender.name,
            f"{row['requests_per_s']:.0f}",
            f"{row['tokens_per_s']:.0f}",
            f"{row['failed']:.0f}",
            _pair(row, "first_token"),
            _pair(row, "token"),
            *(_cpu(row, kind) for kind in _KINDS),
            f"{row['others_cores']:.2f}",
            _pair(row, "late"),
        )
    console = Console(width=_WIDTH)
    console.print(table)
    console.print(f"p50 / p99; cores and µs of processor time a token; load average {load:.1f}")
    console.print(
        f"the kernel's part of a token, both ends: {floor['report']} µs from worker to frontend, "
        f"{floor['event']} µs to the client"
    )


def _pair(row: dict[str, float], name: str) -> str:
    return f"{row[f'{name}_p50_ms']:.2f} / {row[f'{name}_p99_ms']:.2f}"


def _cpu(row: dict[str, float], kind: str) -> str:
    return f"{row[f'{kind}_cores']:.2f} ({row[f'{kind}_us_per_token']:.0f} µs)"


def _percentile_ms(seconds: list[float], quantile: int) -> float:
    return percentile(sorted(seconds), quantile / 100) * 1e3 if seconds else float("nan")


if __name__ == "__main__":
    main()
