"""A load that swings between long prompts and long answers: the planner against fixed splits.

    python benchmarks/planner_swing.py [--rates 4,9.5] [--phase 20] [--phases 3] [--only planner]

Four workers of the modelled engine, whose steps sleep for as long as a model would take. Every
split of them gets the same requests at the same times, from a trace that is written here and
replayed by ``goodput bench``; so does the planner, which starts from two and two.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from goodput.bench.summary import BenchSummary
from goodput.bench.workloads.text import lognormal
from goodput.core.record import RequestRecord, read_records
from serving_contenders import Contender

# Median, sigma of the logarithm, least and most tokens: of prompts, of answers.
_PROMPT_HEAVY = ((500, 0.3, 250, 1000), (8, 0.5, 2, 24))
_ANSWER_HEAVY = ((30, 0.4, 16, 80), (80, 0.4, 30, 200))
_SLO = "ttft=2s,tpot=50ms"
_DEPLOYMENT = """
engine_kind: modelled
modelled: {{step_ms: 16, prefill_ms_per_token: 1, decode_ms_per_sequence: 1.6}}
workers: {{prefill: {prefill}, decode: {decode}}}
engine: {{context_length: 2048, kv_tokens: 65536}}
planner: {{enabled: {planner}}}
"""


def write_trace(path: Path, rates: tuple[float, float], phase: float, phases: int) -> None:
    """Poisson arrivals, Mooncake's format; phases with long prompts and long answers in turn."""
    rng = random.Random("planner_swing")
    with path.open("w") as file:
        for number in range(phases):
            prompt, answer = (_PROMPT_HEAVY, _ANSWER_HEAVY)[number % 2]
            at = number * phase + rng.expovariate(rates[number % 2])
            while at < (number + 1) * phase:
                row = {
                    "timestamp": round(at * 1e3, 3),
                    "input_length": lognormal(rng, prompt),
                    "output_length": lognormal(rng, answer),
                    "hash_ids": [],
                }
                row["hash_ids"] = [
                    rng.randrange(2**40) for _ in range(-(-row["input_length"] // 512))
                ]
                file.write(json.dumps(row) + "\n")
                at += rng.expovariate(rates[number % 2])


def contender(folder: Path, name: str, prefill: int, decode: int, *, planner: bool) -> Contender:
    """``goodput serve`` with so many modelled workers of each role."""
    file = folder / f"{name.replace(' ', '-')}.yaml"
    file.write_text(
        _DEPLOYMENT.format(prefill=prefill, decode=decode, planner=str(planner).lower())
    )
    serve = (sys.executable, "-m", "goodput.cli", "serve", str(file), "--port", "{port}")
    return Contender(name, serve, ours=True)


def measure(url: str, trace: Path, folder: Path) -> tuple[BenchSummary, list[RequestRecord]]:
    """The trace, once through, by ``goodput bench run``: its summary and all requests."""
    bench = (sys.executable, "-m", "goodput.cli", "bench", "run", url, "--workload")
    options = (f"trace:{trace}", "--slo", _SLO, "--warmup", "0s", "--duration", _seconds(trace))
    out = ("--out", str(folder), "--json")
    ended = subprocess.run([*bench, *options, *out], capture_output=True, text=True, check=False)
    if not ended.stdout:
        raise RuntimeError(f"goodput bench failed: {ended.stderr}")
    summary = msgspec.json.decode(ended.stdout, type=BenchSummary)
    return summary, read_records(folder / "records.jsonl")


def _seconds(trace: Path) -> str:
    last = json.loads(trace.read_text().splitlines()[-1])
    return f"{last['timestamp'] / 1e3:.3f}s"


def planner_lines(url: str) -> list[str]:
    """What /metrics says of flips and decisions."""
    with contextlib.closing(urllib.request.urlopen(f"{url}/metrics")) as answer:
        lines = answer.read().decode().splitlines()
    return [line for line in lines if line.startswith(("goodput_role_flip", "goodput_planner_d"))]


def main() -> None:
    """Run all contenders in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="4,9.5", help="requests per second of the two phases")
    parser.add_argument("--phase", type=float, default=20.0, help="seconds")
    parser.add_argument("--phases", type=int, default=3)
    parser.add_argument("--only", default="", help="contenders whose name has this text")
    given = parser.parse_args()
    first, second = (float(part) for part in given.rates.split(","))
    console = Console()
    table = Table(title=f"{given.phases} phases of {given.phase:g} s, {first:g}/{second:g} req/s")
    columns = ("split", "met", "prompt-heavy", "answer-heavy", "req/s met", "bench says")
    for column in columns:
        table.add_column(column)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trace = folder / "swing.jsonl"
        write_trace(trace, (first, second), given.phase, given.phases)
        fixed = [(f"{p} prefill {4 - p} decode", p, False) for p in (1, 2, 3)]
        for label, prefill, planner in [*fixed, ("planner", 2, True)]:
            if given.only not in label:
                continue
            server = contender(folder, label, prefill, 4 - prefill, planner=planner)
            with server.running() as url:
                summary, records = measure(url, trace, folder / label)
                if planner:
                    console.print("\n".join(planner_lines(url)), highlight=False)
            table.add_row(label, *_cells(summary, records, given.phase))
    console.print(table)


def _cells(summary: BenchSummary, records: list[RequestRecord], phase: float) -> list[str]:
    start = records[0].scheduled
    by_phase: tuple[list[bool], list[bool]] = ([], [])
    for record in records:
        by_phase[int((record.scheduled - start) // phase) % 2].append(record.met())
    figures = summary.steps[0].figures
    shares = [f"{sum(met) / max(1, len(met)):.0%}" for met in by_phase]
    return [f"{figures.attainment:.0%}", *shares, f"{figures.goodput:.2f}", summary.verdict]


if __name__ == "__main__":
    main()
