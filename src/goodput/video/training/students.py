"""The stages after the teacher: students of few steps, watched for signs of collapse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import torch
from msgspec.structs import replace

from goodput.video.distillation.collapse import Vitals, check, vitals
from goodput.video.distillation.consistency import ConsistencyLoss
from goodput.video.distillation.matching import Matching
from goodput.video.distillation.teaching import Guided
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.pixels import frames_of
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.bundle import (
    Manner,
    read_autoencoder,
    read_transformer,
    write_autoencoder,
    write_transformer,
)
from goodput.video.sampling.diffusion import DiffusionMaker
from goodput.video.sampling.order import Order
from goodput.video.training.latents import Latents
from goodput.video.training.loop import Loop
from goodput.video.training.optimiser import Optimiser
from goodput.video.training.recipe import ConsistencyStage, MatchingStage, Recipe

Train = Callable[[Path, Path, Latents], None]
"""Train from what the first folder holds, and leave a folder that makes films."""

_WATCHED: Final = 8
"""Films that are made to see whether the student still makes any."""
_CONSISTENCY_STEPS: Final = 4


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
        watch = _Watch(read_autoencoder(before), latents)

        def validate() -> dict[str, float]:
            return watch(mean, student)

        name = "consistency"
        self._loop.run(name, stage, {name: optimiser}, lambda: optimiser.step(loss), validate)
        write_autoencoder(folder, read_autoencoder(before))
        write_transformer(folder, mean, student)

    def _matching(self, stage: MatchingStage, before: Path, folder: Path, latents: Latents) -> None:
        network, manner = read_transformer(before)
        taught, teaching = read_transformer(self._folder / "teacher")
        critic = copy.deepcopy(taught)
        student = Optimiser(network, stage, self._recipe.seed + 3)
        critics = replace(
            stage,
            learning_rate=stage.learning_rate * stage.critic_speed,
            steps=stage.steps * stage.critic_updates,
        )
        judge = Optimiser(critic, critics, self._recipe.seed + 4)
        mean = copy.deepcopy(network)
        student.mean_in(mean)
        matching = Matching(
            network,
            critic,
            Guided(taught, teaching.guidance),
            stage,
            latents.sentences,
            tuple(latents.latents.shape[1:]),
            teaching.shift,
        )
        wanted = replace(manner, guidance=1.0, steps=stage.student_steps)
        watch = _Watch(read_autoencoder(before), latents)

        def step() -> float:
            for _ in range(stage.critic_updates):
                judge.step(matching.critic_loss)
            return student.step(matching.student_loss)

        def validate() -> dict[str, float]:
            return watch(mean, wanted, matching.gap) | {"gap": matching.gap}

        optimisers = {"student": student, "critic": judge}
        self._loop.run("matching", stage, optimisers, step, validate)
        write_autoencoder(folder, read_autoencoder(before))
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
        maker = DiffusionMaker(
            "student", network, self._autoencoder, size=manner.size, shift=manner.shift, guidance=1
        )
        orders = [
            Order(sentence, number, manner.size, self._frames, manner.steps)
            for number, sentence in enumerate(self._sentences)
        ]
        films = [maker.begin(order) for order in orders]
        made = [None]
        while films[0].steps_left:
            made = maker.denoise(films)  # type: ignore[assignment]
        found: Vitals = vitals([film for film in made if film is not None])
        check(found, self._real, gap)
        return {"static": found.static_share, "entropy": found.colour_entropy}
