"""The steps of a stage: validation, checkpoints and curves around whatever a step does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from torch import Tensor

from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.video.models.files import read_tensors, write_tensors
from goodput.video.training.optimiser import Loss, Optimiser
from goodput.video.training.recipe import Optimising

Figures = Mapping[str, float]


class Watcher(Protocol):
    """Whoever is told how a run goes."""

    def stage(self, name: str, total: int, done: int) -> None:
        """A stage of ``total`` steps begins, or goes on after ``done``."""

    def step(self, done: int, loss: float | None) -> None:
        """So many of its steps are done."""

    def said(self, line: str) -> None:
        """Something worth a line."""


class Loop:
    """Runs stages in one folder, each from its checkpoint if there is one."""

    def __init__(self, folder: Path, seed: int, watcher: Watcher) -> None:
        self._folder = folder
        self._seed = seed
        self._watcher = watcher

    def run(
        self,
        name: str,
        stage: Optimising,
        optimisers: Mapping[str, Optimiser],
        step: Callable[[], float],
        validate: Callable[[], Figures],
    ) -> None:
        """Call ``step`` until the first of ``optimisers`` has taken the stage's steps.

        ``step`` moves all optimisers and returns the loss that is shown.
        """
        lead = next(iter(optimisers.values()))
        path = self._folder / f"{name}.checkpoint"
        if path.exists():
            self._resume(path, optimisers)
            if lead.step_number > stage.steps:
                raise UsageError(f"{path} is beyond the recipe's {stage.steps} steps")
        curve = Curve(self._folder / f"{name}.jsonl", lead.step_number)
        self._watcher.stage(name, stage.steps, lead.step_number)
        while lead.step_number < stage.steps:
            value = step()
            done = lead.step_number
            curve.add(done, {"loss": value})
            self._watcher.step(done, value)
            if done % stage.validate_every == 0 or done == stage.steps:
                found = validate()
                curve.add(done, found)
                figures = ", ".join(f"{key} {value:.4g}" for key, value in found.items())
                self._watcher.said(f"{name}, step {done}: {figures}")
            if done % stage.checkpoint_every == 0 or done == stage.steps:
                curve.write()
                self._save(path, optimisers)

    def run_one(
        self,
        name: str,
        stage: Optimising,
        optimiser: Optimiser,
        loss: Loss,
        validate: Callable[[], Figures],
    ) -> None:
        """``run`` of a stage that has one network and one loss."""
        self.run(name, stage, {name: optimiser}, lambda: optimiser.step(loss), validate)

    def _save(self, path: Path, optimisers: Mapping[str, Optimiser]) -> None:
        tensors: dict[str, Tensor] = {}
        for who, optimiser in optimisers.items():
            tensors |= {f"{who}/{key}": tensor for key, tensor in optimiser.state().items()}
        steps = {who: optimiser.step_number for who, optimiser in optimisers.items()}
        write_tensors(path, tensors, {"steps": steps, "seed": self._seed})

    def _resume(self, path: Path, optimisers: Mapping[str, Optimiser]) -> None:
        tensors, facts = read_tensors(path)
        if facts.get("seed") != self._seed:
            raise UsageError(f"{path} belongs to seed {facts.get('seed')}, not {self._seed}")
        steps = facts.get("steps")
        if not isinstance(steps, dict) or set(steps) != set(optimisers):
            raise UsageError(f"{path} is not a checkpoint of this stage")
        for who, optimiser in optimisers.items():
            own = {
                key.removeprefix(f"{who}/"): tensor
                for key, tensor in tensors.items()
                if key.startswith(f"{who}/")
            }
            try:
                optimiser.restore(own, int(steps[who]))
            except UsageError as error:
                raise UsageError(f"{path}: {error.message}") from None


class Curve:
    """What was measured at which step, as lines of JSON; written with each checkpoint."""

    def __init__(self, path: Path, steps: int) -> None:
        """Goes on after the first ``steps`` steps of what an earlier run wrote to ``path``."""
        self._path = path
        self._rows: list[dict[str, float]] = []
        if steps and path.exists():
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            self._rows = [row for row in rows if row["step"] <= steps]

    def add(self, step: int, figures: Figures) -> None:
        """Note figures of a step."""
        self._rows.append({"step": step, **figures})

    def write(self) -> None:
        """Write everything, whole or not at all."""
        lines = "".join(json.dumps(row) + "\n" for row in self._rows)
        write_atomically(self._path, lines.encode())
