"""The authors' own runs on A100, request by request, beside the same requests simulated.

Their repository (github.com/LLMServe/DistServe) had them in
``simdistserve/benchmarks/alignment/data-ground-truth`` at commit 20a1633: arrivals and lengths in
``opt-13b-sharegpt-workload``, measured latencies in ``opt-13b-sharegpt``. They are read from there.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from distserve_paper import CASES
from distserve_systems import System, aggregated, disaggregated
from goodput.plan.scale.day import FleetDay, simulate_fleet
from goodput.plan.scale.traffic import Arrivals

_CASE = CASES["13b-chat"]
# By the names of their files: "c21" is prefill with TP2 PP1, "d12" decode with TP1 PP2.
_SYSTEMS = {
    "distserve-c21d11": disaggregated(_CASE, (2, 1), (1, 1), "DistServe"),
    "distserve-c21d12": disaggregated(_CASE, (2, 1), (1, 2), "DistServe"),
    "vllm": aggregated(_CASE, (1, 1), "vLLM"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One of their runs: what they measured, and what we simulate for the same requests."""

    system: System
    requests: int
    rate: float
    ttft_s: npt.NDArray[np.float64]
    tpot_s: npt.NDArray[np.float64]
    simulated: FleetDay

    @property
    def measured(self) -> float:
        """Attainment on their GPUs."""
        slo = _CASE.slo
        met = (self.ttft_s <= (slo.ttft or 0)) & (self.tpot_s <= (slo.tpot or 0))
        return float(met.mean())


def measured_runs(folder: Path) -> list[Run]:
    """All runs whose placement is known, by system and rate."""
    runs = []
    for file in sorted((folder / "opt-13b-sharegpt").glob("*.exp")):
        name, count, rate = file.stem.rsplit("-", 2)
        system = _SYSTEMS.get(name)
        if system is not None:
            workload = _rows(folder / "opt-13b-sharegpt-workload" / file.name)
            runs.append(_run(system, int(count), float(rate), _rows(file), workload))
    return sorted(runs, key=lambda run: (run.system.placement, run.requests / run.rate, run.rate))


def table_of(runs: list[Run]) -> Table:
    """Measured and simulated, side by side."""
    table = Table(title=f"{_CASE.title}: {_CASE.slo}; measured by the authors / simulated here")
    for heading in (
        "placement",
        "req/s",
        "requests",
        "attainment",
        "points",
        "TTFT p90",
        "TPOT p50",
    ):
        table.add_column(heading, justify="right")
    for run in runs:
        ttft, _ = run.simulated.overall(0.9)
        _, tpot = run.simulated.overall(0.5)
        table.add_row(
            run.system.placement,
            f"{run.rate:g}",
            str(run.requests),
            f"{run.measured:.1%} / {run.simulated.attainment:.1%}",
            f"{100 * (run.simulated.attainment - run.measured):+.1f}",
            f"{1e3 * np.percentile(run.ttft_s, 90):.0f} / {1e3 * ttft:.0f} ms",
            f"{1e3 * np.percentile(run.tpot_s, 50):.0f} / {1e3 * tpot:.0f} ms",
        )
    return table


def _run(system: System, count: int, rate: float, results: list[Any], workload: list[Any]) -> Run:
    arrivals = Arrivals(
        np.array([row["start_time"] for row in workload]),
        np.array([row["prompt_len"] for row in workload]),
        np.array([row["output_len"] for row in workload]),
    )
    seconds = float(arrivals.times_s[-1])
    day = simulate_fleet(system.fleet, [arrivals], _CASE.slo, seconds=seconds, interval_s=seconds)
    latencies = np.array([(row["ttft_ms"], row["tpot_ms"]) for row in results]) / 1e3
    return Run(system, count, rate, latencies[:, 0], latencies[:, 1], day)


def _rows(path: Path) -> list[Any]:
    """Their files are JSON, or a Python list with a summary below it."""
    first = path.read_text().split("\n", 1)[0]
    rows: list[Any] = json.loads(first) if first.startswith('[{"') else ast.literal_eval(first)
    return rows
