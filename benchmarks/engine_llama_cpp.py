"""llama.cpp in the engine benchmark: each kind of weights with flash attention on and off."""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from pathlib import Path

from peers.llama_cpp_client import LlamaCpp

SCRIPT = Path(__file__).parent / "peers" / "llama_cpp_rates.py"
LABELS = {"file": "as stored", "q4_0": "Q4_0", "q8_0": "Q8_0"}
VARIANTS = tuple(itertools.product(LABELS, (True, False)))


class LlamaCppRates(LlamaCpp):
    """The process that times steps; it runs on the cores of this one.

    ``python`` must have llama-cpp-python. Weights made from ``source`` are kept in ``folder``.
    Raises RuntimeError with the end of its log when the process fails.
    """

    def __init__(self, python: str, source: Path, folder: Path, *, threads: int) -> None:
        command = [python, str(SCRIPT), str(source), str(folder), str(threads)]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.version = self._answer()["version"]

    def rates(self, rows: int, sequences: int, context: int) -> dict[str, float]:
        """Tokens per second of every variant, by its label."""
        rates = {}
        for kind, flash in VARIANTS:
            request = {"kind": kind, "flash": flash, "rows": rows}
            answer = self._ask({**request, "sequences": sequences, "context": context})
            label = f"{LABELS[kind]}, {'flash' if flash else 'plain'}"
            rates[label] = rows * sequences / answer["seconds"]
        return rates
