"""Films all of whose frames are made together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.clip import Frames
from goodput.video.models.autoencoder import FRAMES_PER_LATENT, Autoencoder
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.latent import LatentFilm, LatentMaker, padded
from goodput.video.sampling.limits import latent_shape
from goodput.video.sampling.order import Order


@dataclass(kw_only=True)
class DiffusionFilm(LatentFilm):
    """A film of one chunk. With guidance the empty sentence follows its own in ``words``."""

    @property
    def steps_left(self) -> int:
        """See ``order.Film``."""
        return self.chunk_steps_left


class DiffusionMaker(LatentMaker[DiffusionFilm]):
    """A maker for teachers and for students that see the whole film.

    With ``guidance`` above 1 every step asks the network twice, with and without the sentence, and
    takes an Euler step: the way of a teacher. With 1, as for a distilled student, each step guesses
    the clean film and puts fresh noise on it.
    """

    def __init__(
        self,
        name: str,
        transformer: FilmTransformer,
        autoencoder: Autoencoder,
        *,
        size: int,
        shift: float,
        guidance: float,
    ) -> None:
        multiple = FRAMES_PER_LATENT * transformer.config.patch[0]
        super().__init__(name, transformer, autoencoder, size=size, shift=shift, multiple=multiple)
        self.guidance = guidance

    def begin(self, order: Order) -> DiffusionFilm:
        """See ``order.FilmMaker``."""
        sentences = [order.prompt, ""] if self.guidance > 1 else [order.prompt]
        words, generator, noise = self._prepared(order, sentences, latent_shape(order)[0])
        return DiffusionFilm(
            order=order, steps=order.steps, words=words, generator=generator, latents=noise
        )

    def _company(self, film: DiffusionFilm) -> int:
        return film.latents.shape[2]

    def _clean(self, films: Sequence[DiffusionFilm], noisy: Tensor, sigma: Tensor) -> Tensor:
        asked = [(film.words[0][:1], film.words[1][:1]) for film in films]
        if self.guidance <= 1:
            clean: Tensor = self._transformer(noisy, sigma, *padded(asked))
            return clean
        unasked = [(film.words[0][1:], film.words[1][1:]) for film in films]
        text, seen = padded([*asked, *unasked])
        both = self._transformer(torch.cat([noisy, noisy]), torch.cat([sigma, sigma]), text, seen)
        with_text, without = both.chunk(2)
        return flow.guided(without, with_text, self.guidance)

    def _after(
        self,
        films: Sequence[DiffusionFilm],
        noisy: Tensor,
        clean: Tensor,
        sigma: Tensor,
        following: Tensor,
    ) -> Tensor:
        if self.guidance > 1:
            return flow.stepped(noisy, clean, sigma, following)
        return super()._after(films, noisy, clean, sigma, following)

    def _shown(self, film: DiffusionFilm) -> Frames:
        frames, _ = self._decoded(film.latents, None)
        return frames
