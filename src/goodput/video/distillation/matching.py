"""Distribution matching distillation, DMD2 (Yin et al., 2024), in terms of predicted clean films.

A critic learns what the student's films look like with noise on them; the teacher knows what real
ones do. Where the two disagree about a noised film of the student's, the student is moved:

    g = (x̂₀ of the critic - x̂₀ of the guided teacher) / mean |x - x̂₀ of the teacher|
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.distillation.rollouts import Rollout
from goodput.video.distillation.teaching import Guided, predicted
from goodput.video.models.transformer import FilmTransformer
from goodput.video.training.recipe import MatchingStage


class Matching:
    """The two losses of a step. ``gap`` is the last step's disagreement, relative to the teacher's
    own correction of the student: about 1 is healthy, far above it the critic has lost its way."""

    def __init__(
        self,
        rollout: Rollout,
        critic: FilmTransformer,
        teacher: Guided,
        stage: MatchingStage,
        sentences: Sequence[str],
        shift: float,
    ) -> None:
        self.gap = 0.0
        self._rollout = rollout
        self._critic = critic
        self._teacher = teacher
        self._stage = stage
        self._sentences = sentences
        self._shift = shift

    def student_loss(self, step: int, generator: torch.Generator) -> Tensor:
        """Its gradient with respect to the student's films is ``g``; see ``optimiser.Loss``."""
        asked = self._asked(generator)
        made = self._rollout(asked, generator)
        level = self._level(generator)
        noised = flow.noised(made.detach(), torch.randn(made.shape, generator=generator), level)
        with torch.no_grad():
            real = self._teacher.clean(noised, level, asked)
            fake = predicted(self._critic, noised, level, asked)
            places = tuple(range(1, made.ndim))
            size = (made - real).abs().mean(places, keepdim=True).clamp(min=1e-6)
            move = (fake - real) / size
            self.gap = move.abs().mean().item()
        return 0.5 * (made - (made - move).detach()).pow(2).mean()

    def critic_loss(self, step: int, generator: torch.Generator) -> Tensor:
        """Flow matching on films of the student; see ``optimiser.Loss``."""
        asked = self._asked(generator)
        with torch.no_grad():
            made = self._rollout(asked, generator)
        level = self._level(generator)
        noised = flow.noised(made, torch.randn(made.shape, generator=generator), level)
        guess = predicted(self._critic, noised, level, asked)
        return flow.velocity_loss(guess, made, noised, level)

    def _asked(self, generator: torch.Generator) -> list[str]:
        count = (self._stage.batch,)
        numbers = torch.randint(len(self._sentences), count, generator=generator).tolist()
        return [self._sentences[number] for number in numbers]

    def _level(self, generator: torch.Generator) -> Tensor:
        """Neither nearly clean, where there is nothing to tell, nor nearly all noise."""
        uniform = 0.02 + 0.96 * torch.rand(self._stage.batch, generator=generator)
        return flow.shifted(uniform, self._shift)
