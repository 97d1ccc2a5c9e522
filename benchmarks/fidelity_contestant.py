"""A model under test, made only when something is asked that its folder does not hold yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fidelity_measures import Predictions, compare_window
from goodput.core.files import atomic_path, write_atomically

Logits = npt.NDArray[np.float32]
Done = Callable[[int], None]
GROUP = 32
"""Prompts that are answered before the answers are written down."""


class Model(Protocol):
    """What is measured: all positions' logits [tokens, vocab], and greedy answers to prompts.

    An answer has at most ``count`` tokens and ends with the first of ``stop``, which it includes.
    ``done(n)`` is called as n more prompts are answered.
    """

    def logits(self, tokens: Sequence[int]) -> Logits: ...

    def answers(
        self, prompts: Sequence[list[int]], count: int, stop: Sequence[int], done: Done
    ) -> list[list[int]]: ...

    def close(self) -> None: ...


class Contestant:
    """Remembers a model's answers in ``folder`` (one per checkpoint), by a hash of the question.

    With ``folder`` None nothing is remembered: for a model that is being worked on. Delete the
    folder when a peer's version changes. One with ``only_answers`` is never asked for logits.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Model],
        folder: Path | None,
        *,
        only_answers: bool = False,
    ) -> None:
        self.name = name
        self.only_answers = only_answers
        self._make = make
        self._folder = folder
        self._model: Model | None = None

    def logits(self, window: list[int]) -> Logits:
        """The window's logits; remembered, 200 MB for 1,024 tokens of a vocabulary of 49,152."""
        file = self._file(window, "logits.npy")
        if file is not None and file.exists():
            known: Logits = np.load(file)
            return known
        logits = self._get().logits(window)
        if file is not None:
            with atomic_path(file) as partial, partial.open("wb") as out:
                np.save(out, logits)
        return logits

    def predictions(self, window: list[int], reference: Contestant) -> Predictions:
        """The window's predictions, compared with the reference's."""
        file = self._file(window, "predictions.npz")
        if file is not None and file.exists():
            with np.load(file) as known:
                return Predictions(**known)
        found = compare_window(reference.logits(window), self._get().logits(window), window)
        if file is not None:
            with atomic_path(file) as partial, partial.open("wb") as out:
                np.savez(out, **asdict(found))
        return found

    def answers(
        self, prompts: Sequence[list[int]], count: int, stop: Sequence[int], done: Done
    ) -> list[list[int]]:
        """An answer for each prompt, of ``count`` tokens at most."""
        if self._folder is None:
            return self._get().answers(prompts, count, stop, done)
        file = self._folder / f"answers-{count}.json"
        known: dict[str, list[int]] = json.loads(file.read_text()) if file.exists() else {}
        missing = [prompt for prompt in prompts if _key(prompt) not in known]
        done(len(prompts) - len(missing))
        for first in range(0, len(missing), GROUP):
            group = missing[first : first + GROUP]
            found = self._get().answers(group, count, stop, done)
            known.update(zip(map(_key, group), found, strict=True))
            write_atomically(file, json.dumps(known).encode())
        return [known[_key(prompt)] for prompt in prompts]

    def close(self) -> None:
        """End the model, if it was made at all."""
        if self._model is not None:
            self._model.close()
            self._model = None

    def _get(self) -> Model:
        if self._model is None:
            self._model = self._make()
        return self._model

    def _file(self, window: Sequence[int], what: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{_key(window)}-{what}"


def _key(tokens: Sequence[int]) -> str:
    return hashlib.sha256(np.array(tokens, np.int32).tobytes()).hexdigest()[:16]
