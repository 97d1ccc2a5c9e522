"""Diffusion forcing: a network that sees only earlier chunks, each at a noise level of its own.

With levels drawn apart it learns to go on from chunks that are clean, noisy or anything between
(Chen et al., 2024), which is what makes films chunk by chunk possible.
"""

from __future__ import annotations

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer
from goodput.video.training.latents import Latents
from goodput.video.training.recipe import ForcingStage


class ForcingLoss:
    """Mean square of the velocity's error, with a level for each chunk."""

    def __init__(
        self, network: FilmTransformer, stage: ForcingStage, latents: Latents, shift: float
    ) -> None:
        self._network = network
        self._stage = stage
        self._latents = latents
        self._shift = shift

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """See ``training.optimiser.Loss``."""
        count, chunk = self._stage.batch, self._stage.chunk
        numbers = torch.randint(len(self._latents), (count,), generator=generator).tolist()
        clean, sentences = self._latents.batch(numbers)
        chunks = clean.shape[2] // chunk
        sigma = flow.shifted(torch.rand(count, chunks, generator=generator), self._shift)
        # Half of the films have a clean past and one noisy chunk, as films in the making have.
        at = torch.randint(chunks, (count,), generator=generator)
        before = torch.arange(chunks)[None] < at[:, None]
        made = torch.rand(count, generator=generator) < 0.5
        sigma = sigma.masked_fill(before & made[:, None], 0.0)
        levels = sigma.repeat_interleave(chunk, dim=1)
        wide = levels[:, None, :, None, None]
        noise = torch.randn(clean.shape, generator=generator)
        noisy = (1 - wide) * clean + wide * noise
        words = self._network.text(tokens_of(sentences))
        guess = self._network(noisy, levels, *words, chunk=chunk)
        error = (guess - clean) / wide.clamp(min=flow.LEAST_SIGMA)
        loss: Tensor = (error * (wide > 0)).pow(2).mean()
        return loss
