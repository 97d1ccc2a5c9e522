"""From which length on sparse attention pays, on this machine.

    python benchmarks/film_attention.py [--threads 1] [--repeats 7] [--json FILE]

Grids of tokens from a nano film's 80 to 5,120, four heads of 48, cubes of 64 tokens. Each repeat
runs dense attention and every sparsity in turn, forwards, and forwards with the way back; shown are
the medians of the ratio to dense attention in the same repeat: above 1 the sparse one is faster.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track

from engine_tables import markdown
from goodput.core.files import write_atomically
from goodput.video.models.rotary import Grid
from goodput.video.models.sparse import sparse_attention

GRIDS: list[Grid] = [(5, 4, 4), (10, 8, 8), (12, 12, 12), (10, 16, 16), (20, 16, 16)]
CUBES: Grid = (4, 4, 4)
SPARSITIES = (0.5, 0.75, 0.9)
HEADS, WIDTH = 4, 48


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def ways(grid: Grid, *, backward: bool) -> dict[str, Callable[[], object]]:
    """Dense attention and each sparsity, on the same tokens."""
    shape = (1, HEADS, math.prod(grid), WIDTH)
    q, k, v = (torch.randn(shape, requires_grad=backward) for _ in range(3))
    gate = torch.full((1, HEADS, 1, 1), 0.1)

    def run(sparsity: float) -> None:
        open_gate = gate if sparsity else None
        out = sparse_attention(q, k, v, grid, CUBES, sparsity, open_gate)
        if backward:
            out.sum().backward()  # type: ignore[no-untyped-call]

    return {f"{sparsity:g}": lambda s=sparsity: run(s) for sparsity in (0.0, *SPARSITIES)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows, kept = [], []
    cases = [(grid, backward) for backward in (False, True) for grid in GRIDS]
    for grid, backward in track(cases, "cases", console=Console(stderr=True), transient=True):
        runs = ways(grid, backward=backward)
        times: dict[str, list[float]] = {name: [] for name in runs}
        for repeat in range(options.repeats + 1):
            for name, run in runs.items():
                spent = seconds(run)
                if repeat:
                    times[name].append(spent)
        dense = times.pop("0")
        ratios = {
            name: [a / b for a, b in zip(dense, spent, strict=True)]
            for name, spent in times.items()
        }
        rows.append(
            [
                f"{math.prod(grid)}",
                "forward and back" if backward else "forward",
                f"{statistics.median(dense) * 1e3:.1f}",
                *(
                    f"{statistics.median(x):.2f} ({min(x):.2f}–{max(x):.2f})"
                    for x in ratios.values()
                ),
            ]
        )
        kept.append({"grid": grid, "backward": backward, "dense_s": dense, "faster": ratios})
    names = [f"sparsity {sparsity:g}: times as fast" for sparsity in SPARSITIES]
    print(markdown(["tokens", "", "dense, ms", *names], rows))
    if options.json:
        write_atomically(options.json, json.dumps(kept, indent=1).encode())


if __name__ == "__main__":
    main()
