"""llama.cpp beside us: its library lives in an environment of its own, so a pipe leads to it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from peers.line_process import LineProcess

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
        self._process = LineProcess(command)
        self.version: str = self._process.greeting["version"]

    def logits(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        """Of every position: [len(tokens), vocab]."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "logits.npy"
            self._process.ask({"tokens": list(tokens), "save": str(file)})
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
            answers.append(self._process.ask(request)["answer"])
            done(1)
        return answers

    def close(self) -> None:
        self._process.close()
