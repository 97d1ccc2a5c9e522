"""Simulated requests per second: ours beside a plain SimPy model and DistServe's own simulator.

    python benchmarks/simulator_speed.py [--requests 3000] [--rate 3] [--repeats 3]
        [--authors FOLDER-WITH-simdistserve] [--authors-python PYTHON] [--json FILE]

One configuration for all: OPT-13B on A100 by the published profile, one prefill and one decode
worker, the same arrivals and lengths (like ShareGPT's). One process on one core; the contestants
take turns, and only the simulation itself is timed. The SimPy model below visits every decode step
as an event, as the authors' does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from distserve_paper import CASES, SHAREGPT, arrivals
from distserve_systems import System, disaggregated
from goodput.bench.run.runner import Step
from goodput.bench.workloads.base import PlannedRequest
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.files import write_atomically
from goodput.core.record import RequestRecord
from goodput.plan.library import named_profile
from goodput.plan.profile.schema import StepLoad, WorkerProfile
from goodput.plan.scale.day import simulate_fleet
from goodput.plan.scale.traffic import Arrivals
from goodput.plan.simulate.arrival import Arrival
from goodput.plan.simulate.play import play

_CASE = CASES["13b-chat"]
_AUTHORS = Path(__file__).with_name("peers") / "simdistserve_run.py"


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one contestant: seconds for all requests, and the attainment it saw."""

    seconds: float
    attainment: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--authors", type=Path)
    parser.add_argument("--authors-python", default=sys.executable)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load = arrivals(SHAREGPT, options.rate, options.requests)
    system = disaggregated(_CASE, (1, 1), (1, 1), "1 + 1")
    assert system is not None
    contestants: dict[str, Callable[[], Timing]] = {
        "goodput, compiled fleet": lambda: _fleet(system, load),
        "goodput, production code": lambda: _production(system, load),
        "plain SimPy model": lambda: _simpy(system, load),
    }
    if options.authors:
        contestants["simdistserve"] = lambda: _authors(
            options.authors, options.authors_python, load
        )
    _fleet(system, load)  # compiles
    seen: dict[str, list[Timing]] = {name: [] for name in contestants}
    for _ in range(options.repeats):
        for name, run in contestants.items():
            seen[name].append(run())
    Console().print(_table(seen, options.requests))
    if options.json:
        rows = {
            name: [(one.seconds, one.attainment) for one in all_] for name, all_ in seen.items()
        }
        write_atomically(options.json, msgspec.json.format(msgspec.json.encode(rows)))


def _table(seen: dict[str, list[Timing]], requests: int) -> Table:
    table = Table(title=f"{requests} requests, {_CASE.slo}")
    for heading in ("simulator", "requests/s", "least", "most", "attainment"):
        table.add_column(heading)
    peers = [name for name in seen if not name.startswith("goodput")]
    for name in peers:
        table.add_column(f"x {name}")
    for name, timings in seen.items():
        rates = [requests / timing.seconds for timing in timings]
        ratios = [
            statistics.median(
                theirs.seconds / ours.seconds
                for theirs, ours in zip(seen[peer], timings, strict=True)
            )
            for peer in peers
        ]
        table.add_row(
            name,
            *(f"{rate:,.0f}" for rate in (statistics.median(rates), min(rates), max(rates))),
            f"{timings[0].attainment:.2%}",
            *(f"{ratio:.1f}" for ratio in ratios),
        )
    return table


def _fleet(system: System, load: Arrivals) -> Timing:
    began = time.perf_counter()
    day = simulate_fleet(system.fleet, [load], _CASE.slo, seconds=float(load.times_s[-1]))
    return Timing(time.perf_counter() - began, day.attainment)


def _production(system: System, load: Arrivals) -> Timing:
    """The scheduler, block manager and router that serve, on a simulated clock."""
    prefill, decode = system.fleet.groups
    engine = EngineConfig(
        kv_tokens=decode.worker.kv_tokens,
        saturation_tokens=prefill.saturation_tokens,
        token_budget=4096,
        max_sequences=256,
        prefix_cache=False,
    )
    config = DeploymentConfig(workers=WorkerCounts(prefill=1, decode=1), engine=engine)
    rows = zip(*(column.tolist() for column in load), strict=True)
    requests = [
        Arrival(
            RequestRecord(id=f"r{number}", workload="chat", scheduled=time_s, slo=_CASE.slo),
            PlannedRequest(messages=(), max_tokens=output, slo=_CASE.slo),
            [0] * prompt,
        )
        for number, (time_s, prompt, output) in enumerate(rows)
    ]
    step = Step(rate=1.0, warmup=0.0, duration=float(load.times_s[-1]) + 1.0)
    began = time.perf_counter()
    outcome = play(named_profile("opt-13b-a100-distserve"), config, requests, step, drain_s=1e4)
    seconds = time.perf_counter() - began
    return Timing(seconds, sum(record.met() for record in outcome.records) / len(requests))


def _simpy(system: System, load: Arrivals) -> Timing:
    began = time.perf_counter()
    met = _SimPyModel(system, load).run()
    return Timing(time.perf_counter() - began, met / load.times_s.size)


def _authors(folder: Path, python: str, load: Arrivals) -> Timing:
    """Their simulator in a process of its own, which times its own event loop."""
    rows = zip(*(column.tolist() for column in load), strict=True)
    requests = [
        {"start_time": time_s, "prompt_len": prompt, "output_len": output}
        for time_s, prompt, output in rows
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as workload:
        json.dump(requests, workload)
        workload.flush()
        bounds = [str(round(1e3 * (bound or 0))) for bound in (_CASE.slo.ttft, _CASE.slo.tpot)]
        done = subprocess.run(
            [python, str(_AUTHORS), str(folder), workload.name, *bounds],
            check=True,
            capture_output=True,
            text=True,
        )
    seconds, attainment = done.stdout.split()[-2:]
    return Timing(float(seconds), float(attainment))


@dataclass(slots=True)
class _Request:
    arrived: float
    prompt: int
    output: int
    made: int = 0
    first: float = 0.0
    last: float = 0.0


class _SimPyModel:
    """The same queues written the usual way: a process a worker, an event a step."""

    def __init__(self, system: System, load: Arrivals) -> None:
        import simpy

        groups = {group.role: group for group in system.fleet.groups}
        self.fleet = system.fleet
        self.workers = {role: group.worker for role, group in groups.items()}
        self.saturation = groups["prefill"].saturation_tokens
        self.env = simpy.Environment()
        self.prompts = simpy.Store(self.env)
        self.answers = simpy.Store(self.env)
        rows = zip(*(column.tolist() for column in load), strict=True)
        self.requests = [_Request(*row) for row in rows]

    def run(self) -> int:
        """Simulate to the end; returns how many requests met the SLO."""
        self.env.process(self._arrive())
        self.env.process(self._prefill(self.workers["prefill"]))
        self.env.process(self._decode(self.workers["decode"]))
        self.env.run()
        return sum(self._met(request) for request in self.requests)

    def _met(self, request: _Request) -> bool:
        steps = max(1, request.output - 1)
        tpot = (request.last - request.first) / steps
        return _CASE.slo.met_by(ttft=request.first - request.arrived, tpot=tpot, e2e=None)

    def _arrive(self) -> Generator[Any, Any, None]:
        for request in self.requests:
            yield self.env.timeout(request.arrived - self.env.now)
            self.prompts.put(request)

    def _prefill(self, worker: WorkerProfile) -> Generator[Any, Any, None]:
        while True:
            batch = [(yield self.prompts.get())]
            while self.prompts.items and sum(one.prompt for one in batch) < self.saturation:
                batch.append((yield self.prompts.get()))
            load = StepLoad(
                prefill_tokens=sum(one.prompt for one in batch),
                prefill_pairs=sum(one.prompt**2 / 2 for one in batch),
            )
            yield self.env.timeout(worker.step_s(load))
            for request in batch:
                request.first = request.last = self.env.now
                request.made = 1
                if request.output > 1:
                    self.env.process(self._hand_over(request))

    def _hand_over(self, request: _Request) -> Generator[Any, Any, None]:
        bytes_ = request.prompt * self.fleet.kv_bytes_per_token
        yield self.env.timeout(self.fleet.link.seconds(bytes_))
        self.answers.put(request)

    def _decode(self, worker: WorkerProfile) -> Generator[Any, Any, None]:
        batch: list[_Request] = []
        while True:
            if not batch:
                batch.append((yield self.answers.get()))
            while self.answers.items:
                batch.append((yield self.answers.get()))
            context = sum(one.prompt + one.made - 1 for one in batch)
            load = StepLoad(decode_rows=len(batch), context_tokens=context)
            yield self.env.timeout(worker.step_s(load))
            for request in batch:
                request.made += 1
                request.last = self.env.now
            batch = [one for one in batch if one.made < one.output]


if __name__ == "__main__":
    main()
