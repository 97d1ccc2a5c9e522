"""A whole run of a recipe, stage after stage, each of which goes on where it was interrupted."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

import torch

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
from goodput.video.training.latents import Latents, encode_all
from goodput.video.training.loop import Loop, Watcher
from goodput.video.training.optimiser import Optimiser, generator_of
from goodput.video.training.recipe import Recipe
from goodput.video.training.students import Students
from goodput.video.training.teacher import TeacherLoss

_VALIDATION: Final = 64
"""Clips that are not trained on."""
TEACHER_STEPS: Final = 50


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
        self._loop = Loop(folder, recipe.seed, watcher)

    def all_stages(self) -> Path:
        """Whatever is not there yet; the folder of the last stage, which makes films."""
        if not (self._folder / AUTOENCODER).exists():
            self._autoencoder()
        last = self._folder / "teacher"
        if not (last / TRANSFORMER).exists():
            self._teacher(last)
        students = Students(self._recipe, self._folder, self._loop)
        for name, train in students.stages():
            folder = self._folder / name
            if not (folder / TRANSFORMER).exists():
                train(last, folder, self._latents)
            last = folder
        return last

    def _autoencoder(self) -> None:
        recipe, stage = self._recipe, self._recipe.autoencoder
        torch.manual_seed(recipe.seed)
        network = Autoencoder(stage.network)
        loss = AutoencoderLoss(network, stage, self._source, recipe.size)
        optimiser = Optimiser(network, stage, recipe.seed)

        def validate() -> dict[str, float]:
            return {"db": reconstruction_db(network, self._held, recipe.size, 8)}

        self._loop.run_one("autoencoder", stage, optimiser, loss, validate)
        optimiser.use_mean()
        standardise(network, self._source, recipe.size)
        decibels = reconstruction_db(network, self._held, recipe.size, 32)
        self._watcher.said(f"autoencoder: {decibels:.1f} dB on clips that it did not see")
        write_autoencoder(self._folder, network)

    def _teacher(self, folder: Path) -> None:
        recipe, stage = self._recipe, self._recipe.teacher
        latents, held = self._latents, self._held_latents
        torch.manual_seed(recipe.seed)
        network = FilmTransformer(transformer_config(recipe.model))
        loss = TeacherLoss(network, stage, latents)
        optimiser = Optimiser(network, stage, recipe.seed + 1)

        def validate() -> dict[str, float]:
            return {"held": loss.validation(held, generator_of(recipe.seed, _VALIDATION))}

        self._loop.run_one("teacher", stage, optimiser, loss, validate)
        optimiser.use_mean()
        write_autoencoder(folder, read_autoencoder(self._folder))
        manner = Manner(
            size=recipe.size, shift=stage.shift, guidance=stage.guidance, steps=TEACHER_STEPS
        )
        write_transformer(folder, network, manner)

    @cached_property
    def _latents(self) -> Latents:
        clips = self._recipe.teacher.clips
        return self._encoded(self._source, min(clips, self._source.count or clips), "latents")

    @cached_property
    def _held_latents(self) -> Latents:
        return self._encoded(self._held, min(_VALIDATION, self._held.count or _VALIDATION), "held")

    def _encoded(self, source: ClipSource, clips: int, name: str) -> Latents:
        watcher = self._watcher
        watcher.stage("encoding", clips, 0)
        return encode_all(
            read_autoencoder(self._folder),
            source,
            self._recipe.size,
            clips,
            self._folder / name,
            lambda done: watcher.step(done, None),
        )
