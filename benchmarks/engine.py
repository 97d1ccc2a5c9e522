"""Prefill and decode rates of the engine's model beside a plain PyTorch loop, interleaved.

    python benchmarks/engine.py [--model smollm2:135m] [--repeats 5] [--json FILE]

One process, one thread. Every repeat times ours, then the peer, for each case; the table shows
medians, the spread, and the median of the ratios taken repeat by repeat, which noise of the
machine moves least.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eager_loop import EagerLoop
from goodput.core.files import write_atomically
from goodput.kv.layout import kv_bytes_per_block
from goodput.models import weights
from goodput.models.catalog import resolve
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.ops.base import ForwardBatch
from goodput.models.ops.cpu.backend import CpuDecoder

BLOCK = 16
CONTEXT = 256


@dataclass(frozen=True)
class Case:
    """One row of the table: ``tokens`` are made by one call of either step."""

    name: str
    tokens: int
    ours: Callable[[], object]
    peer: Callable[[], object]


@dataclass(frozen=True)
class Result:
    """Tokens per second, and ours over the peer's. Lists hold one number per repeat."""

    case: str
    ours: list[float]
    peer: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(a / b for a, b in zip(self.ours, self.peer, strict=True))


def make_cases(model: Path) -> list[Case]:
    """Both implementations over the same checkpoint."""
    config, arrays = weights.load(weights.prepare(model, "cpu"))
    config = msgspec.structs.replace(config, context_length=1024)
    blocks_each = CONTEXT // BLOCK + 2
    pool = np.zeros(64 * blocks_each * kv_bytes_per_block(config, BLOCK, "cpu"), np.uint8)
    ours = CpuDecoder(config, arrays, pool, max_rows=512, max_samples=64)
    checkpoint = open_checkpoint(model)
    random = np.random.default_rng(0)
    cases = []
    for length in (128, 512):
        tokens = random.integers(0, config.vocab_size, length).astype(np.int32)
        table = np.arange(-(-length // BLOCK), dtype=np.int32)[None]
        batch = ForwardBatch(
            tokens,
            np.arange(length, dtype=np.int32),
            np.array([0, length], np.int32),
            table,
            np.array([length - 1], np.int32),
        )
        peer = EagerLoop(checkpoint, 1, length)
        inputs = torch.from_numpy(tokens.astype(np.int64))[None]
        cases.append(
            Case(
                f"prefill {length}",
                length,
                lambda batch=batch: ours.forward(batch),
                lambda peer=peer, inputs=inputs: peer.step(inputs, 0),
            )
        )
    for size in (1, 8, 32):
        tokens = random.integers(0, config.vocab_size, size).astype(np.int32)
        tables = np.arange(size * blocks_each, dtype=np.int32).reshape(size, blocks_each)
        batch = ForwardBatch(
            tokens,
            np.full(size, CONTEXT - 1, np.int32),
            np.arange(size + 1, dtype=np.int32),
            tables,
            np.arange(size, dtype=np.int32),
        )
        peer = EagerLoop(checkpoint, size, CONTEXT)
        inputs = torch.from_numpy(tokens.astype(np.int64))[:, None]
        cases.append(
            Case(
                f"decode batch {size}",
                size,
                lambda batch=batch: ours.forward(batch),
                lambda peer=peer, inputs=inputs: peer.step(inputs, CONTEXT - 1),
            )
        )
    return cases


def measure(case: Case, repeats: int) -> Result:
    """Run both alternately; each timing covers at least 0.2 s of calls."""
    calls = {}
    for name, step in (("ours", case.ours), ("peer", case.peer)):
        step()
        calls[name] = max(1, round(0.2 / _seconds(step, 1)))
    ours, peer = [], []
    for _ in range(repeats):
        ours.append(case.tokens / _seconds(case.ours, calls["ours"]))
        peer.append(case.tokens / _seconds(case.peer, calls["peer"]))
    return Result(case.name, ours, peer)


def _seconds(step: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2:135m")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the results here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cases = make_cases(resolve(arguments.model, pull=True))
    results = [measure(case, arguments.repeats) for case in track(cases, "measuring")]
    table = Table(title=f"{arguments.model}, one thread, context {CONTEXT}, tokens per second")
    for heading in ("case", "ours", "spread", "eager int8 loop", "spread", "ratio"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for result in results:
        cells = [result.case]
        for rates in (result.ours, result.peer):
            cells += [f"{statistics.median(rates):.0f}", f"{min(rates):.0f}-{max(rates):.0f}"]
        table.add_row(*cells, f"{result.ratio:.2f}x")
    Console().print(table)
    if arguments.json:
        rows = [{**asdict(result), "ratio": result.ratio} for result in results]
        write_atomically(arguments.json, json.dumps(rows, indent=2).encode())


if __name__ == "__main__":
    main()
