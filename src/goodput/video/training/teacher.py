"""The teacher's stage: flow matching on latents, with sentences left out now and then."""

from __future__ import annotations

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer
from goodput.video.training.latents import Latents
from goodput.video.training.recipe import TeacherStage


class TeacherLoss:
    """``flow.velocity_loss`` of clips at noise levels of their own."""

    def __init__(self, network: FilmTransformer, stage: TeacherStage, latents: Latents) -> None:
        self._network = network
        self._stage = stage
        self._latents = latents

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """See ``optimiser.Loss``."""
        stage = self._stage
        numbers = torch.randint(len(self._latents), (stage.batch,), generator=generator).tolist()
        clean, sentences = self._latents.batch(numbers)
        left_out = torch.rand(stage.batch, generator=generator) < stage.unasked
        asked = ["" if out else x for x, out in zip(sentences, left_out.tolist(), strict=True)]
        return self._loss(clean, asked, generator)

    @torch.no_grad()
    def validation(self, held: Latents, generator: torch.Generator) -> float:
        """The loss of clips that are not trained on."""
        clean, sentences = held.batch(list(range(len(held))))
        return self._loss(clean, sentences, generator).item()

    def _loss(self, clean: Tensor, sentences: list[str], generator: torch.Generator) -> Tensor:
        uniform = torch.rand(len(clean), generator=generator)
        sigma = flow.shifted(uniform, self._stage.shift)
        noise = torch.randn(clean.shape, generator=generator)
        noisy = flow.noised(clean, noise, sigma)
        text, seen = self._network.text(tokens_of(sentences))
        predicted = self._network(noisy, sigma, text, seen)
        return flow.velocity_loss(predicted, clean, noisy, sigma)
