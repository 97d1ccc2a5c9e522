"""From a sentence to a film: how long each stage takes, from the teacher's way to the fastest.

    python benchmarks/film.py [--run out/film/nano] [--repeats 5] [--threads 2] [--json FILE]

The run's folder has what `goodput film train` left: a teacher, and students where its recipe asked
for them. Each repeat makes one film with every rung of the ladder, in turn; shown are medians and
spread. A film is whole when its mp4 is written. Of films that come chunk by chunk the first frame
is timed to the bytes that a player can show, and how much faster than real time they go on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from engine_tables import markdown
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.video.clip import FPS, FRAMES, Clip
from goodput.video.files.fragments import FragmentedWriter
from goodput.video.files.mp4 import write_mp4
from goodput.video.sampling.bundle import TRANSFORMER, load_maker
from goodput.video.sampling.causal import CausalMaker
from goodput.video.sampling.diffusion import DiffusionMaker
from goodput.video.sampling.order import Order

SENTENCE = "two blue squares cross on a navy background"
STAGES = ("text", "denoise", "decode", "file")


@dataclass
class Rung:
    """One way of making the film, and what was measured of it, in seconds."""

    name: str
    maker: DiffusionMaker | CausalMaker
    size: int
    steps: int
    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STAGES})

    def make(self, seed: int, folder: Path) -> None:
        """One film, and its times."""
        self.maker.seconds.clear()
        started = time.perf_counter()
        film = self.maker.begin(Order(SENTENCE, seed, self.size, steps=self.steps))
        writer = FragmentedWriter(self.size, self.size, FPS)
        parts, spent, first = [], 0.0, None
        while film.steps_left:
            (frames,) = self.maker.denoise([film])  # type: ignore[list-item]
            if frames is None:
                continue
            if isinstance(self.maker, CausalMaker):
                began = time.perf_counter()
                shown = (writer.begin() if first is None else b"") + writer.add(frames)
                assert shown
                spent += time.perf_counter() - began
            first = first or time.perf_counter() - started
            parts.append(frames)
        if isinstance(self.maker, DiffusionMaker):
            began = time.perf_counter()
            write_mp4(folder / "film.mp4", Clip(np.concatenate(parts)))
            spent = time.perf_counter() - began
            first = time.perf_counter() - started
        self.whole.append(time.perf_counter() - started)
        self.first.append(first or 0.0)
        for name in STAGES[:-1]:
            self.stages[name].append(self.maker.seconds[name])
        self.stages["file"].append(spent)


def ladder(run: Path) -> list[Rung]:
    """The rungs that the run's folder has networks for, the slowest first."""
    rungs = []
    for stage, steps in (
        ("teacher", (50, 25)),
        ("consistency", (4,)),
        ("matching", (4, 3, 1)),
        ("streaming", (4, 1)),
    ):
        if not (run / stage / TRANSFORMER).exists():
            continue
        maker, manner = load_maker(run / stage)
        rungs += [Rung(f"{stage}, {count} steps", maker, manner.size, count) for count in steps]
    if not rungs:
        raise UsageError(f"{run} has nothing that makes films: goodput film train makes it")
    return rungs


def table(rungs: Sequence[Rung]) -> str:
    """The ladder: medians, in milliseconds, with the spread of the whole."""
    slowest, rows = statistics.median(rungs[0].whole), []
    for rung in rungs:
        whole = statistics.median(rung.whole)
        spread = f"{min(rung.whole) * 1e3:.0f}–{max(rung.whole) * 1e3:.0f}"
        stages = [f"{statistics.median(rung.stages[name]) * 1e3:.0f}" for name in STAGES]
        first = f"{statistics.median(rung.first) * 1e3:.0f}"
        speed = f"{FRAMES / FPS / whole:.1f}x"
        rows.append([rung.name, f"{whole * 1e3:.0f} ({spread})", *stages, first, speed])
        rows[-1].append(f"{slowest / whole:.1f}x")
    names = [f"{name}, ms" for name in ("whole", *STAGES, "first frame")]
    return markdown(["way", *names, "real time", "faster than the first"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("out/film/nano"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rungs = ladder(options.run)
    messages = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        for repeat in track(range(options.repeats + 1), "films", console=messages, transient=True):
            for rung in rungs:
                rung.make(repeat, Path(folder))
            if not repeat:  # The first time loads libraries and caches.
                for rung in rungs:
                    rung.whole.clear()
                    rung.first.clear()
                    rung.stages = {name: [] for name in STAGES}
    print(table(rungs))
    if options.json:
        plain = [{k: v for k, v in vars(rung).items() if k != "maker"} for rung in rungs]
        write_atomically(options.json, json.dumps(plain, indent=1).encode())


if __name__ == "__main__":
    main()
