"""The stages after the teacher: students of few steps, watched for signs of collapse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import torch
from msgspec.structs import replace

from goodput.video import flow
from goodput.video.distillation.collapse import check, vitals
from goodput.video.distillation.consistency import ConsistencyLoss
from goodput.video.distillation.forcing import ForcingLoss
from goodput.video.distillation.matching import Matching
from goodput.video.distillation.rollouts import AtOnce, ByChunk
from goodput.video.distillation.teaching import Guided
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.pixels import frames_of
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.bundle import (
    Manner,
    maker_of,
    read_autoencoder,
    read_transformer,
    write_autoencoder,
    write_transformer,
)
from goodput.video.sampling.order import Order
from goodput.video.sampling.whole import make_whole
from goodput.video.training.latents import Latents
from goodput.video.training.loop import Loop
from goodput.video.training.optimiser import Loss, Optimiser
from goodput.video.training.recipe import (
    ConsistencyStage,
    ForcingStage,
    MatchingStage,
    Optimising,
    Recipe,
)

Train = Callable[[Path, Path, Latents], None]
"""Train from what the first folder holds, and leave a folder that makes films."""

_WATCHED: Final = 8
"""Films that are made to see whether the student still makes any."""
_CONSISTENCY_STEPS: Final = 4
_FORCING_STEPS: Final = 8


class Students:
    """Trains the students that the recipe asks for, in the run's folder."""

    def __init__(self, recipe: Recipe, folder: Path, loop: Loop) -> None:
        self._recipe = recipe
        self._folder = folder
        self._loop = loop

    def stages(self) -> Iterator[tuple[str, Train]]:
        """The name of each stage, in order, and what trains it."""
        if (consistency := self._recipe.consistency) is not None:
            yield "consistency", lambda *where: self._consistency(consistency, *where)
        if (matching := self._recipe.matching) is not None:
            yield "matching", lambda *where: self._matching(matching, *where)
        if (forcing := self._recipe.forcing) is not None:
            yield "forcing", lambda *where: self._forcing(forcing, *where)
        if (streaming := self._recipe.streaming) is not None:
            yield "streaming", lambda *where: self._matching(streaming, *where)

    def _consistency(
        self, stage: ConsistencyStage, before: Path, folder: Path, latents: Latents
    ) -> None:
        network, manner = read_transformer(before)
        teacher = Guided(copy.deepcopy(network), manner.guidance)
        mean = copy.deepcopy(network).requires_grad_(False)
        optimiser = Optimiser(network, stage, self._recipe.seed + 2)
        optimiser.mean_in(mean)
        student = replace(manner, guidance=1.0, steps=_CONSISTENCY_STEPS)
        loss = ConsistencyLoss(network, mean, teacher, stage, latents, manner.shift)
        self._with_one_loss(stage, optimiser, loss, mean, student, before, folder, latents)

    def _forcing(self, stage: ForcingStage, before: Path, folder: Path, latents: Latents) -> None:
        network, manner = read_transformer(before)
        optimiser = Optimiser(network, stage, self._recipe.seed + 5)
        mean = copy.deepcopy(network)
        optimiser.mean_in(mean)
        loss = ForcingLoss(network, stage, latents, manner.shift)
        causal = replace(manner, guidance=1.0, steps=_FORCING_STEPS, chunk=stage.chunk)
        self._with_one_loss(stage, optimiser, loss, mean, causal, before, folder, latents)

    def _with_one_loss(
        self,
        stage: Optimising,
        optimiser: Optimiser,
        loss: Loss,
        mean: FilmTransformer,
        manner: Manner,
        before: Path,
        folder: Path,
        latents: Latents,
    ) -> None:
        autoencoder = read_autoencoder(before)
        watch = _Watch(autoencoder, latents)
        self._loop.run_one(folder.name, stage, optimiser, loss, lambda: watch(mean, manner))
        write_autoencoder(folder, autoencoder)
        write_transformer(folder, mean, manner)

    def _matching(self, stage: MatchingStage, before: Path, folder: Path, latents: Latents) -> None:
        network, manner = read_transformer(before)
        taught, teaching = read_transformer(self._folder / "teacher")
        wanted = replace(manner, guidance=1.0, steps=stage.student_steps)
        critic, mean = copy.deepcopy(taught), copy.deepcopy(network)
        seed = self._recipe.seed + (3 if manner.chunk is None else 6)
        student = Optimiser(network, stage, seed)
        student.mean_in(mean)
        critics = replace(
            stage,
            learning_rate=stage.learning_rate * stage.critic_speed,
            steps=stage.steps * stage.critic_updates,
        )
        judge = Optimiser(critic, critics, seed + 1)
        levels = flow.schedule(stage.student_steps, manner.shift)
        shape = tuple(latents.latents.shape[1:])
        matching = Matching(
            AtOnce(network, levels, shape)
            if manner.chunk is None
            else ByChunk(network, levels, shape, manner.chunk),
            critic,
            Guided(taught, teaching.guidance),
            stage,
            latents.sentences,
            teaching.shift,
        )
        autoencoder = read_autoencoder(before)
        watch = _Watch(autoencoder, latents)

        def step() -> float:
            for _ in range(stage.critic_updates):
                judge.step(matching.critic_loss)
            return student.step(matching.student_loss)

        def validate() -> dict[str, float]:
            return watch(mean, wanted, matching.gap) | {"gap": matching.gap}

        optimisers = {"student": student, "critic": judge}
        self._loop.run(folder.name, stage, optimisers, step, validate)
        write_autoencoder(folder, autoencoder)
        write_transformer(folder, mean, wanted)


class _Watch:
    """Makes a few films with a student and compares them with real ones of the same sentences."""

    def __init__(self, autoencoder: Autoencoder, latents: Latents) -> None:
        self._autoencoder = autoencoder
        real, self._sentences = latents.batch(list(range(min(_WATCHED, len(latents)))))
        with torch.no_grad():
            pixels, _ = autoencoder.decode(real)
        self._frames = pixels.shape[2]
        self._real = vitals([frames_of(film) for film in pixels])

    def __call__(
        self, network: FilmTransformer, manner: Manner, gap: float | None = None
    ) -> dict[str, float]:
        """The student's vital signs. Raises CollapsedError."""
        maker = maker_of("student", network, self._autoencoder, manner)
        orders = [
            Order(sentence, number, manner.size, self._frames, manner.steps)
            for number, sentence in enumerate(self._sentences)
        ]
        found = vitals(make_whole(maker, orders))
        check(found, self._real, gap)
        return {"static": found.static_share, "entropy": found.colour_entropy}
