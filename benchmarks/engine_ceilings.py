"""What the machine allows: the rate of our own product tile, and of reading the weights.

The floor of a step is the larger of its integer operations over the first and its bytes (the
packed weights once, and the keys and values of all sequences) over the second.

    python engine_ceilings.py MODEL THREADS

answers the requests of `peers/step_server.py` with a floor instead of a time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

from engine_cases import Case
from engine_results import Floor
from goodput.kv.layout import kv_bytes_per_block
from goodput.models import weights
from goodput.models.checkpoint.base import GROUP
from goodput.models.config import ModelConfig
from goodput.models.ops.cpu.attention_tiles import BLOCK
from goodput.models.ops.cpu.gemm_tiles import PANEL
from goodput.models.ops.cpu.projections import _panel_rows
from peers.step_server import answer_lines

Arrays = Mapping[str, npt.NDArray[np.generic]]

TILE_ROWS = 6
INNER = 512
"""Inner dimension of the timed tile: it and six rows stay in an L1 cache of 32 KiB."""

_SECONDS = 0.1


@numba.njit(nogil=True)
def _multiply(repeats: int, rows: int, a: int, panel: int, out: int, rs: int, cs: int) -> None:
    """``rows`` rows times one panel, over and over; all full tiles read the same six rows."""
    for _ in range(repeats):
        for _ in range(rows // TILE_ROWS):
            _panel_rows(0, TILE_ROWS, a, INNER, panel, out, PANEL, rs, cs, False, panel)
        if rows % TILE_ROWS:
            _panel_rows(0, rows % TILE_ROWS, a, INNER, panel, out, PANEL, rs, cs, False, panel)


@numba.njit(nogil=True)
def _read(words: npt.NDArray[np.int64]) -> int:
    """Four streams at once: one alone reaches about half of the bandwidth."""
    quarter = len(words) // 4
    a = b = c = d = 0
    for i in range(quarter):
        a += words[i]
        b += words[quarter + i]
        c += words[2 * quarter + i]
        d += words[3 * quarter + i]
    return a + b + c + d


class Ceilings:
    """Measures floors of steps over the model's mapped weights, with ``threads`` threads."""

    def __init__(self, config: ModelConfig, arrays: Arrays, threads: int) -> None:
        self._threads = threads
        self._team = ThreadPoolExecutor(threads)
        packed = {name: array for name, array in arrays.items() if name != "embed"}
        matrices = {name: a.shape for name, a in packed.items() if name.endswith(".weight")}
        sizes = {name: s[0] * PANEL * s[1] * GROUP for name, s in matrices.items() if len(s) == 3}
        self._head_operations = 2 * sizes.pop("head.weight")
        self._row_operations = 2 * sum(sizes.values())
        self._position_bytes = kv_bytes_per_block(config, BLOCK, "cpu") // BLOCK
        self._weight_bytes = sum(array.nbytes for array in packed.values())
        self._words = [_as_words(array) for array in packed.values() if array.nbytes > 64]

    def floor(self, case: Case) -> Floor:
        """Of one step of ``case``, from rates measured now."""
        rate, bandwidth = self._product_rate(case.tokens), self._bandwidth()
        operations = case.tokens * self._row_operations + case.sequences * self._head_operations
        positions = case.sequences * case.context
        return Floor(
            product_rate=rate,
            bandwidth=bandwidth,
            product_seconds=operations / rate,
            weight_seconds=self._weight_bytes / bandwidth,
            cache_seconds=positions * self._position_bytes / bandwidth,
        )

    def _product_rate(self, rows: int) -> float:
        repeats = max(1, 20_000 // rows)

        def run(_thread: int) -> None:
            a = np.ones((TILE_ROWS, INNER), np.int16)
            panel = np.ones(INNER * PANEL, np.int16)
            out, scales = np.empty((TILE_ROWS, PANEL), np.float32), np.ones(PANEL, np.float32)
            addresses = [array.ctypes.data for array in (a, panel, out, scales, scales)]
            _multiply(repeats, rows, *addresses)

        return self._threads * repeats * 2 * rows * INNER * PANEL / self._seconds(run)

    def _bandwidth(self) -> float:
        def run(thread: int) -> None:
            for words in self._words:
                size = len(words)
                part = slice(size * thread // self._threads, size * (thread + 1) // self._threads)
                _read(words[part])

        return sum(words.nbytes for words in self._words) / self._seconds(run)

    def _seconds(self, run: Callable[[int], None]) -> float:
        """Of one call in all threads at once: the mean of calls that last 0.1 s."""
        list(self._team.map(run, range(self._threads)))
        calls, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < _SECONDS:
            list(self._team.map(run, range(self._threads)))
            calls += 1
        return spent / calls


def _as_words(array: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """The array's memory as aligned int64; a few bytes at its ends are left out."""
    flat = array.reshape(-1).view(np.uint8)
    flat = flat[-flat.ctypes.data % 8 :]
    return flat[: len(flat) // 8 * 8].view(np.int64)


def main() -> None:
    config, arrays = weights.load(weights.prepare(Path(sys.argv[1]), "cpu"))
    ceilings = Ceilings(config, arrays, int(sys.argv[2]))

    def respond(request: dict[str, int]) -> dict[str, float]:
        case = Case(request["rows"], request["sequences"], request["before"])
        return asdict(ceilings.floor(case))

    answer_lines({}, respond)


if __name__ == "__main__":
    main()
