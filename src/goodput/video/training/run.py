"""A whole run of a recipe, stage after stage, each of which goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import torch

from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.video.data.source import ClipSource
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.family import transformer_config
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.bundle import (
    AUTOENCODER,
    TRANSFORMER,
    Manner,
    read_autoencoder,
    write_autoencoder,
    write_transformer,
)
from goodput.video.training.autoencoder import AutoencoderLoss, reconstruction_db, standardise
from goodput.video.training.latents import encode_all
from goodput.video.training.optimiser import Loss, Optimiser, generator_of
from goodput.video.training.recipe import Optimising, Recipe
from goodput.video.training.teacher import TeacherLoss

_AUTOENCODER_SEED: Final = 1
_TEACHER_SEED: Final = 2
_VALIDATION: Final = 64
"""Clips that are not trained on."""
GUIDANCE: Final = 3.0
TEACHER_STEPS: Final = 50


class Watcher(Protocol):
    """Whoever is told how a run goes."""

    def stage(self, name: str, total: int, done: int) -> None:
        """A stage of ``total`` steps begins, or goes on after ``done``."""

    def step(self, done: int, loss: float | None) -> None:
        """So many of its steps are done."""

    def said(self, line: str) -> None:
        """Something worth a line."""


class Run:
    """One recipe in one folder."""

    def __init__(
        self, recipe: Recipe, folder: Path, source: ClipSource, held: ClipSource, watcher: Watcher
    ) -> None:
        self._recipe = recipe
        self._folder = folder
        self._source = source
        self._held = held
        self._watcher = watcher

    def all_stages(self) -> None:
        """Whatever is not there yet."""
        if not (self._folder / AUTOENCODER).exists():
            self.autoencoder()
        teacher = self._folder / "teacher"
        if not (teacher / TRANSFORMER).exists():
            self.teacher(teacher)

    def autoencoder(self) -> None:
        """Train the autoencoder; leaves its file in the folder."""
        recipe, stage = self._recipe, self._recipe.autoencoder
        torch.manual_seed(recipe.seed)
        network = Autoencoder(stage.network)
        loss = AutoencoderLoss(network, stage, self._source, recipe.size)
        optimiser = Optimiser(network, stage, recipe.seed + _AUTOENCODER_SEED)

        def validate(done: int) -> dict[str, float]:
            return {"db": reconstruction_db(network, self._held, recipe.size, 8)}

        self._optimise("autoencoder", optimiser, stage, loss, validate)
        optimiser.use_mean()
        standardise(network, self._source, recipe.size)
        decibels = reconstruction_db(network, self._held, recipe.size, 32)
        self._watcher.said(f"autoencoder: {decibels:.1f} dB on clips that it did not see")
        write_autoencoder(self._folder, network)

    def teacher(self, folder: Path) -> None:
        """Train the teacher on encoded clips; leaves a folder that makes films."""
        recipe, stage = self._recipe, self._recipe.teacher
        autoencoder = read_autoencoder(self._folder)
        watcher = self._watcher
        clips = min(stage.clips, self._source.count or stage.clips)
        watcher.stage("encoding", clips + _VALIDATION, 0)
        latents = encode_all(
            autoencoder,
            self._source,
            recipe.size,
            clips,
            self._folder / "latents",
            lambda done: watcher.step(done, None),
        )
        kept_out = min(_VALIDATION, self._held.count or _VALIDATION)
        held = encode_all(
            autoencoder,
            self._held,
            recipe.size,
            kept_out,
            self._folder / "held",
            lambda done: watcher.step(clips + done, None),
        )
        torch.manual_seed(recipe.seed)
        network = FilmTransformer(transformer_config(recipe.model))
        loss = TeacherLoss(network, stage, latents)
        optimiser = Optimiser(network, stage, recipe.seed + _TEACHER_SEED)

        def validate(done: int) -> dict[str, float]:
            return {"held": loss.validation(held, generator_of(recipe.seed, _VALIDATION))}

        self._optimise("teacher", optimiser, stage, loss, validate)
        optimiser.use_mean()
        write_autoencoder(folder, autoencoder)
        manner = Manner(size=recipe.size, shift=stage.shift, guidance=GUIDANCE, steps=TEACHER_STEPS)
        write_transformer(folder, network, manner)

    def _optimise(
        self,
        name: str,
        optimiser: Optimiser,
        stage: Optimising,
        loss: Loss,
        validate: Callable[[int], dict[str, float]],
    ) -> None:
        checkpoint = self._folder / f"{name}.checkpoint"
        curve = Curve(self._folder / f"{name}.jsonl")
        if checkpoint.exists():
            optimiser.resume(checkpoint)
            if optimiser.step_number > stage.steps:
                raise UsageError(f"{checkpoint} is beyond the recipe's {stage.steps} steps")
        curve.keep(optimiser.step_number)
        self._watcher.stage(name, stage.steps, optimiser.step_number)
        while optimiser.step_number < stage.steps:
            value = optimiser.step(loss)
            done = optimiser.step_number
            curve.add(done, loss=value)
            self._watcher.step(done, value)
            if done % stage.validate_every == 0 or done == stage.steps:
                found = validate(done)
                curve.add(done, **found)
                figures = ", ".join(f"{key} {value:.4g}" for key, value in found.items())
                self._watcher.said(f"{name}, step {done}: {figures}")
            if done % stage.checkpoint_every == 0 or done == stage.steps:
                curve.write()
                optimiser.save(checkpoint)


class Curve:
    """What was measured at which step, as lines of JSON; written with each checkpoint."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, float]] = []

    def keep(self, steps: int) -> None:
        """Read what an earlier run wrote of its first ``steps`` steps."""
        if steps and self._path.exists():
            rows = [json.loads(line) for line in self._path.read_text().splitlines()]
            self._rows = [row for row in rows if row["step"] <= steps]

    def add(self, step: int, **figures: float) -> None:
        """Note figures of a step."""
        self._rows.append({"step": step, **figures})

    def write(self) -> None:
        """Write everything, whole or not at all."""
        lines = "".join(json.dumps(row) + "\n" for row in self._rows)
        write_atomically(self._path, lines.encode())
