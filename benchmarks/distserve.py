"""The DistServe paper's evaluation, simulated from its own profiles.

    python benchmarks/distserve.py [--cases 13b-chat,66b-chat,…] [--requests 2000]
        [--images docs/images] [--json out/distserve.json] [--measured FOLDER]

For each case: goodput per GPU of vLLM with the paper's parallelism and with the best one, and of
DistServe with the paper's placement, with Algorithm 2's and with Algorithm 1's; how much tighter an
SLO each keeps at the paper's rate; and the curves between. About a minute a case on one core.
With ``--measured``, the authors' own measurements beside ours (``distserve_measured.py``), and only
the cases that are named.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from distserve_measured import measured_runs, table_of
from distserve_paper import CASES, Case
from distserve_pictures import Panel, over_rates, over_scales, placements
from distserve_placement import algorithm_1, algorithm_2, best_vllm
from distserve_systems import (
    System,
    aggregated,
    attainment,
    disaggregated,
    goodput,
    tightest,
)
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically

_SCALES = tuple(float(scale) for scale in np.linspace(0.3, 1.7, 15))
_POINTS = 16
# The wide SLO shares all else with 66b-chat.
_PLOTTED = ("13b-chat", "66b-chat", "66b-code", "66b-summarize")


class Row(msgspec.Struct):
    """One system in one case: goodput per GPU, and the least SLO scale kept at the case's rate."""

    system: str
    placement: str
    gpus: int
    goodput: float
    at_80_percent: float
    tightest: float | None


@dataclass
class Result:
    """What was found of one case."""

    case: Case
    rows: list[Row] = field(default_factory=list)
    rates: Panel = field(default_factory=lambda: Panel(""))
    scales: Panel = field(default_factory=lambda: Panel(""))

    @property
    def shares(self) -> dict[str, float]:
        """Goodput per GPU of each system, over the highest."""
        best = max(row.goodput for row in self.rows)
        return {row.system: row.goodput / best for row in self.rows}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=lambda text: text.split(","))
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measured", type=Path)
    options = parser.parse_args()
    console = Console()
    chosen = options.cases or ([] if options.measured else list(CASES))
    unknown = [name for name in chosen if name not in CASES]
    if unknown:
        parser.error(f"--cases knows no {unknown[0]!r}; it knows {', '.join(CASES)}")
    if options.measured:
        console.print(table_of(measured_runs(options.measured)))
    results = {}
    for name in chosen:
        results[name] = _examine(CASES[name], options.requests, console)
        console.print(_table(results[name]))
    if options.json:
        rows = {name: result.rows for name, result in results.items()}
        write_atomically(options.json, msgspec.json.format(msgspec.json.encode(rows)))
    if options.images:
        _draw(results, options.images)


def _examine(case: Case, requests: int, console: Console) -> Result:
    result = Result(case, rates=Panel(case.title), scales=Panel(case.title))
    systems = _systems(case, requests, console)
    served = [goodput(system, case, case.slo, requests) for system in systems]
    for system, rate in zip(systems, served, strict=True):
        result.rows.append(
            Row(
                system=system.name,
                placement=system.placement,
                gpus=system.fleet.accelerators,
                goodput=rate,
                at_80_percent=goodput(system, case, case.slo, requests, 0.8),
                tightest=tightest(system, case, case.slo_rate, requests),
            )
        )
        rates = np.linspace(0.05, 1.35, _POINTS) * max(served)
        result.rates.curves[system.name] = [
            (rate, attainment(system, case, case.slo, rate, requests)) for rate in rates.tolist()
        ]
        result.scales.curves[system.name] = [
            (scale, attainment(system, case, case.slo.scaled(scale), case.slo_rate, requests))
            for scale in _SCALES
        ]
    return result


def _systems(case: Case, requests: int, console: Console) -> list[System]:
    searches = {"vLLM++": best_vllm, "DistServe-Low": algorithm_2, "DistServe-High": algorithm_1}
    found = {
        name: search(case, requests)[1]
        for name, search in track(searches.items(), case.title, console=console, transient=True)
    }
    vllm = aggregated(case, case.vllm, "vLLM")
    same = aggregated(case, case.vllm, "same kernels, together", "distserve")
    paper = disaggregated(case, *case.distserve, "DistServe")
    if vllm is None or same is None or paper is None:
        raise UsageError(f"the profiles lack the placements of {case.title}")
    return [vllm, same, found["vLLM++"], paper, found["DistServe-Low"], found["DistServe-High"]]


def _table(result: Result) -> Table:
    case = result.case
    table = Table(title=f"{case.title}: {case.slo}; SLO scales at {case.slo_rate} req/s a GPU")
    for heading in ("system", "placement", "GPUs", "req/s/GPU", "at 80 %", "x vLLM", "paper"):
        table.add_column(heading)
    for heading in ("tightest SLO", "x vLLM", "paper"):
        table.add_column(heading)
    base = result.rows[0]
    for row in result.rows:
        ours = row.system == "DistServe"
        table.add_row(
            row.system,
            row.placement,
            str(row.gpus),
            f"{row.goodput:.3f}",
            f"{row.at_80_percent:.3f}",
            _ratios(row, base),
            case.rate_ratio if ours else "",
            "–" if row.tightest is None else f"{row.tightest:.2f}",
            "–" if not (row.tightest and base.tightest) else f"{base.tightest / row.tightest:.2f}",
            case.slo_ratio if ours else "",
        )
    return table


def _ratios(row: Row, base: Row) -> str:
    """Over vLLM's goodput; where that is nothing, over what it serves at 80 %."""
    if base.goodput:
        return f"{row.goodput / base.goodput:.2f}"
    return f"{row.at_80_percent / base.at_80_percent:.2f} at 80 %" if base.at_80_percent else "–"


def _draw(results: dict[str, Result], folder: Path) -> None:
    shown = [result for name, result in results.items() if name in _PLOTTED]
    bars = {result.case.title.replace(", ", "\n"): result.shares for result in shown}
    for drawn in (
        over_rates([result.rates for result in shown]),
        over_scales([result.scales for result in shown]),
        placements(bars),
    ):
        write_atomically(folder / f"{drawn.name}.png", drawn.png)


if __name__ == "__main__":
    main()
