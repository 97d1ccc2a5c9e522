"""llama.cpp beside us: its library lives in an environment of its own, so a pipe leads to it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SCRIPT = Path(__file__).with_name("llama_cpp_logits.py")


class LlamaCpp:
    """One model in a process of ``python``, which must have llama-cpp-python.

    ``kind`` is "q8_0" or "q4_0" (made from ``source`` once, in ``folder``) or "file" (``source``
    itself). Raises RuntimeError with the end of its log when the process fails.
    """

    def __init__(
        self, python: str, source: Path, kind: str, folder: Path, *, threads: int, context: int
    ) -> None:
        model = source if kind == "file" else folder / f"{source.stem}.{kind}.gguf"
        command = [python, str(SCRIPT), str(source), str(model), kind, str(threads), str(context)]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.version: str = self._answer()["version"]

    def logits(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        """Of every position: [len(tokens), vocab]."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "logits.npy"
            self._ask({"tokens": list(tokens), "save": str(file)})
            logits: npt.NDArray[np.float32] = np.load(file)
            return logits

    def answers(
        self,
        prompts: Sequence[list[int]],
        count: int,
        stop: Sequence[int],
        done: Callable[[int], None],
    ) -> list[list[int]]:
        """Greedy answers, one prompt after the other as a lone user gets them."""
        answers = []
        for prompt in prompts:
            request = {"tokens": prompt, "count": count, "stop": list(stop)}
            answers.append(self._ask(request)["answer"])
            done(1)
        return answers

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._log.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """The next line that is an answer: llama.cpp itself prints to stdout now and then."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        self._log.seek(0)
        raise RuntimeError(f"llama.cpp ended: {self._log.read()[-2000:]}")
