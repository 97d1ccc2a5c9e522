"""Consistency distillation: along one path of the teacher every noise level has the same film.

The student at a level is drawn to what its own running mean says one guided teacher step further
on (Song et al., "Consistency Models", 2023). It starts as a copy of the teacher and is a warm start
for distribution matching, which needs a student that already makes films in few steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.distillation.teaching import Guided, predicted
from goodput.video.models.transformer import FilmTransformer
from goodput.video.training.latents import Latents
from goodput.video.training.recipe import ConsistencyStage


class ConsistencyLoss:
    """Mean square between neighbours on the teacher's path.

    ``mean`` is a copy of the student that holds its running mean; whoever trains keeps it so.
    """

    def __init__(
        self,
        student: FilmTransformer,
        mean: FilmTransformer,
        teacher: Guided,
        stage: ConsistencyStage,
        latents: Latents,
        shift: float,
    ) -> None:
        self._student = student
        self._mean = mean
        self._teacher = teacher
        self._stage = stage
        self._latents = latents
        self._levels = flow.schedule(stage.levels, shift)

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """See ``training.optimiser.Loss``."""
        count = self._stage.batch
        numbers = torch.randint(len(self._latents), (count,), generator=generator).tolist()
        clean, sentences = self._latents.batch(numbers)
        at = torch.randint(self._stage.levels, (count,), generator=generator)
        sigma, following = self._levels[at], self._levels[at + 1]
        noisy = flow.noised(clean, torch.randn(clean.shape, generator=generator), sigma)
        target = self._target(noisy, sigma, following, sentences)
        return (predicted(self._student, noisy, sigma, sentences) - target).pow(2).mean()

    @torch.no_grad()
    def _target(
        self, noisy: Tensor, sigma: Tensor, following: Tensor, sentences: list[str]
    ) -> Tensor:
        taught = self._teacher.clean(noisy, sigma, sentences)
        further = flow.stepped(noisy, taught, sigma, following)
        target = predicted(self._mean, further, following, sentences)
        # Without noise left the film is what it is.
        done = (following == 0).view(-1, *[1] * (noisy.ndim - 1))
        return torch.where(done, further, target)
