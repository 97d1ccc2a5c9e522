"""What a distilled student is taught by: the guided teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer


class Guided:
    """A frozen teacher that is asked with and without the sentence."""

    def __init__(self, network: FilmTransformer, guidance: float) -> None:
        self._network = network.eval().requires_grad_(False)
        self._guidance = guidance

    @torch.no_grad()
    def clean(self, noisy: Tensor, sigma: Tensor, sentences: Sequence[str]) -> Tensor:
        """The clean films that the teacher takes ``noisy`` for, (batch, ...)."""
        text, seen = self._network.text(tokens_of([*sentences, *[""] * len(sentences)]))
        twice, levels = torch.cat([noisy, noisy]), torch.cat([sigma, sigma])
        asked, unasked = self._network(twice, levels, text, seen).chunk(2)
        return flow.guided(unasked, asked, self._guidance)


def predicted(
    network: FilmTransformer, noisy: Tensor, sigma: Tensor, sentences: Sequence[str]
) -> Tensor:
    """The clean films that a network without guidance takes ``noisy`` for."""
    text, seen = network.text(tokens_of(sentences))
    clean: Tensor = network(noisy, sigma, text, seen)
    return clean
