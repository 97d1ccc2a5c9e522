"""Who takes part in the engine benchmark: how each is started, and what it holds in memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine_cases import Case
from engine_results import OURS
from peers.float_folder import float_folder
from peers.line_process import LineProcess

HERE = Path(__file__).parent
EAGER, LLAMA_CPP, VLLM = "eager int8", "llama.cpp", "vLLM"
PEERS = {"eager": EAGER, "llama.cpp": LLAMA_CPP, "vllm": VLLM}
"""From what --peers takes to what the tables show."""


@dataclass(frozen=True)
class Entry:
    """How a contestant is started: its interpreter, its script, what comes before the threads."""

    name: str
    python: str
    script: Path
    arguments: tuple[str, ...]


def entries(peers: Sequence[str], model: Path, out: Path, pythons: dict[str, str]) -> list[Entry]:
    """Ours, then the named peers. ``out`` keeps the weights that are made for them."""
    here = sys.executable
    found = [Entry(OURS, here, HERE / "peers" / "ours_rates.py", (str(model),))]
    if EAGER in peers:
        found.append(Entry(EAGER, here, HERE / "peers" / "eager_loop.py", (str(model),)))
    if LLAMA_CPP in peers:
        script = HERE / "peers" / "llama_cpp_rates.py"
        found.append(Entry(LLAMA_CPP, pythons[LLAMA_CPP], script, (str(model), str(out))))
    if VLLM in peers:
        folder = float_folder(model, out / "float32")
        script = HERE / "peers" / "vllm_rates.py"
        found.append(Entry(VLLM, pythons[VLLM], script, (str(folder),)))
    return found


def ceilings(model: Path) -> Entry:
    return Entry("ceilings", sys.executable, HERE / "engine_ceilings.py", (str(model),))


@dataclass(frozen=True)
class Memory:
    """Of one process, in bytes: what nobody shares, so what would go with it; that and its part of
    what is shared; and all that it maps."""

    uss: int
    pss: int
    rss: int


class Contestant:
    """One contestant's process with so many threads, pinned to as many cores."""

    def __init__(self, entry: Entry, cores: Sequence[int]) -> None:
        command = [entry.python, str(entry.script), *entry.arguments, str(len(cores))]
        environment = {"OMP_NUM_THREADS": str(len(cores)), "NUMBA_NUM_THREADS": str(len(cores))}
        start = time.perf_counter()
        self._process = LineProcess(command, cores=cores, environment=environment)
        self.load_seconds = time.perf_counter() - start
        self.name, self.threads = entry.name, len(cores)
        self.version = str(self._process.greeting.get("version", ""))
        self.variants: list[str] = self._process.greeting.get("variants", [])

    def seconds(self, case: Case, variant: str) -> float:
        """Of one step."""
        return float(self._process.ask(case.request(variant))["seconds"])

    def figures(self, case: Case) -> dict[str, float]:
        """Whatever else it says about the case."""
        return self._process.ask(case.request(""))

    def memory(self) -> Memory:
        info = psutil.Process(self._process.pid).memory_full_info()
        return Memory(info.uss, info.pss, info.rss)

    def close(self) -> None:
        self._process.close()
