"""Films that a student makes while it is trained, with a gradient only where it can be afforded.

A rollout stops at one random step of the student's and takes that step's clean film, instead of
going through all steps: the last step alone would leave the others untaught (DMD2; Self-Forcing,
Huang et al., 2025).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.distillation.teaching import predicted
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer, Past, Words, remembered


class Rollout(Protocol):
    """Makes a film of each sentence; its gradient reaches the student."""

    def __call__(self, sentences: Sequence[str], generator: torch.Generator) -> Tensor:
        """(sentences, channels, frames, height, width), clean."""


class AtOnce:
    """All frames together. ``shape`` is that of one film, ``levels`` the student's, from 1 to 0."""

    def __init__(self, student: FilmTransformer, levels: Tensor, shape: tuple[int, ...]) -> None:
        self._student = student
        self._levels = levels
        self._shape = shape

    def __call__(self, sentences: Sequence[str], generator: torch.Generator) -> Tensor:
        """See ``Rollout``."""
        count = len(sentences)
        stop = int(torch.randint(len(self._levels) - 1, (1,), generator=generator))
        noise = torch.randn((count, *self._shape), generator=generator)

        def guess(noisy: Tensor, level: Tensor) -> Tensor:
            return predicted(self._student, noisy, level, sentences)

        noisy = _before_step(stop, noise, self._levels, guess, generator)
        return guess(noisy, self._levels[stop].expand(count))


class ByChunk:
    """Chunk after chunk, each seeing the student's own clean chunks before it: what it will have
    when it is asked for films, not what it should have had (Self-Forcing).

    ``chunk`` is in latent frames; the length of a film must be a multiple of it.
    """

    def __init__(
        self, student: FilmTransformer, levels: Tensor, shape: tuple[int, ...], chunk: int
    ) -> None:
        self._student = student
        self._levels = levels
        self._shape = shape
        self._chunk = chunk

    def __call__(self, sentences: Sequence[str], generator: torch.Generator) -> Tensor:
        """See ``Rollout``. No gradient goes through what a chunk remembers of those before."""
        words = self._student.text(tokens_of(sentences))
        frozen = (words[0].detach(), words[1])
        stop = int(torch.randint(len(self._levels) - 1, (1,), generator=generator))
        past: Past = []
        made = []
        for first in range(0, self._shape[1], self._chunk):
            chunk = self._made(stop, words, frozen, past, first, len(sentences), generator)
            made.append(chunk)
            with torch.no_grad():
                still = torch.zeros(len(sentences))
                _, own = self._student.forward_chunk(chunk.detach(), still, frozen, past, first)
            past = remembered(past, own)
        return torch.cat(made, dim=2)

    def _made(
        self,
        stop: int,
        words: Words,
        frozen: Words,
        past: Past,
        first: int,
        count: int,
        generator: torch.Generator,
    ) -> Tensor:
        channels, _, *sides = self._shape
        noise = torch.randn((count, channels, self._chunk, *sides), generator=generator)

        def guess(noisy: Tensor, level: Tensor) -> Tensor:
            return self._student.forward_chunk(noisy, level, frozen, past, first)[0]

        noisy = _before_step(stop, noise, self._levels, guess, generator)
        level = self._levels[stop].expand(count)
        clean, _ = self._student.forward_chunk(noisy, level, words, past, first)
        return clean


@torch.no_grad()
def _before_step(
    stop: int,
    noise: Tensor,
    levels: Tensor,
    guess: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator,
) -> Tensor:
    """What ``noise`` has become before the step ``stop``: guessed clean, noised anew, in turns."""
    noisy, count = noise, len(noise)
    for step in range(stop):
        clean = guess(noisy, levels[step].expand(count))
        fresh = torch.randn(noisy.shape, generator=generator)
        noisy = flow.noised(clean, fresh, levels[step + 1].expand(count))
    return noisy
