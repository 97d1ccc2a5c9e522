"""Prefill and decode rates of the engine beside its peers and the machine's ceilings, interleaved.

    python benchmarks/engine.py [--model smollm2:135m] [--threads 1] [--repeats 5] [--json FILE]
                                [--llama-python PYTHON-WITH-llama-cpp-python]

Every repeat of a case times ours, then the eager PyTorch loop, then llama.cpp with each kind of
weights, then the ceilings, so that noise of the machine falls on all. The table shows medians;
ratios and shares are medians of those taken repeat by repeat.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine_cases import CONTEXT, Case, make_cases
from engine_ceilings import Ceilings, Floor
from engine_llama_cpp import LlamaCppRates
from goodput.core.files import write_atomically
from goodput.models.catalog import resolve
from goodput.models.checkpoint.open import open_checkpoint


@dataclass
class Result:
    """Tokens per second and floors. Lists hold one entry per repeat."""

    case: str
    tokens: int
    ours: list[float] = field(default_factory=list)
    eager: list[float] = field(default_factory=list)
    llama_cpp: dict[str, list[float]] = field(default_factory=dict)
    floors: list[Floor] = field(default_factory=list)

    @property
    def best_llama_cpp(self) -> str | None:
        """The variant with the highest median; None where the peer was left out."""
        rates = self.llama_cpp
        return max(rates, key=lambda label: statistics.median(rates[label]), default=None)

    @property
    def ratio(self) -> float:
        """Ours over the better peer's."""
        best = self.best_llama_cpp
        peers = [self.eager] + ([self.llama_cpp[best]] if best else [])
        peer = max(peers, key=statistics.median)
        return statistics.median(a / b for a, b in zip(self.ours, peer, strict=True))

    @property
    def share(self) -> float:
        """The floor's seconds over ours."""
        pairs = zip(self.ours, self.floors, strict=True)
        return statistics.median(f.seconds * rate / self.tokens for rate, f in pairs)


def measure(case: Case, repeats: int, llama: LlamaCppRates | None, ceilings: Ceilings) -> Result:
    """Run all in turn; each timing covers at least 0.2 s of calls."""
    result = Result(case.name, case.tokens)
    timed = ((case.ours, result.ours), (case.eager, result.eager))
    calls = [_calls(step) for step, _ in timed]
    for _ in range(repeats):
        for (step, rates), count in zip(timed, calls, strict=True):
            rates.append(case.tokens / _seconds(step, count))
        if llama:
            for label, rate in llama.rates(case.rows, case.sequences, case.before).items():
                result.llama_cpp.setdefault(label, []).append(rate)
        result.floors.append(ceilings.floor(case))
    return result


def _calls(step: Callable[[], object]) -> int:
    step()
    return max(1, round(0.2 / _seconds(step, 1)))


def _seconds(step: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls


def make_table(title: str, results: list[Result]) -> Table:
    table = Table(title=f"{title}, context {CONTEXT}, tokens per second")
    headings = "case|ours|spread|eager int8|llama.cpp|its best variant|ratio|GOP/s|GB/s|floor|share"
    for heading in headings.split("|"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    middle = statistics.median
    for result in results:
        best = result.best_llama_cpp
        floors = result.floors
        slowest = middle(f.product_seconds for f in floors) > middle(f.byte_seconds for f in floors)
        table.add_row(
            result.case,
            f"{middle(result.ours):.0f}",
            f"{min(result.ours):.0f}-{max(result.ours):.0f}",
            f"{middle(result.eager):.0f}",
            f"{middle(result.llama_cpp[best]):.0f}" if best else "left out",
            best or "no --llama-python",
            f"{result.ratio:.2f}x",
            f"{middle(f.product_rate for f in floors) / 1e9:.0f}",
            f"{middle(f.bandwidth for f in floors) / 1e9:.1f}",
            f"{1e3 * middle(f.seconds for f in floors):.1f} ms {'ops' if slowest else 'bytes'}",
            f"{result.share:.0%}",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2:135m")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, choices=(1, 2), default=1)
    parser.add_argument("--llama-python", help="an interpreter that has llama-cpp-python")
    parser.add_argument("--out", type=Path, default=Path("out/engine"), help="for its weights")
    parser.add_argument("--json", type=Path, help="also write the results here")
    arguments = parser.parse_args()
    if arguments.llama_python and not shutil.which(arguments.llama_python):
        parser.error(f"--llama-python: there is no program {arguments.llama_python}")
    threads = arguments.threads
    torch.set_num_threads(threads)
    model = resolve(arguments.model, pull=True)
    llama = None
    if arguments.llama_python:
        folder = arguments.out / open_checkpoint(model).fingerprint
        llama = LlamaCppRates(arguments.llama_python, model, folder, threads=threads)
    config, arrays, cases = make_cases(model, threads)
    ceilings = Ceilings(config, arrays, threads)
    work = track(cases, "measuring")
    results = [measure(case, arguments.repeats, llama, ceilings) for case in work]
    title = f"{arguments.model}, {threads} thread{'s' if threads > 1 else ''}"
    Console(width=None if Console().is_terminal else 150).print(make_table(title, results))
    if llama:
        print(f"llama-cpp-python {llama.version}")
        llama.close()
    if arguments.json:
        derived = ("best_llama_cpp", "ratio", "share")
        rows = [{**asdict(r), **{name: getattr(r, name) for name in derived}} for r in results]
        write_atomically(arguments.json, json.dumps(rows, indent=2).encode())


if __name__ == "__main__":
    main()
