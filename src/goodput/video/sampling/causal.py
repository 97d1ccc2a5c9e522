"""Films chunk by chunk: each is denoised, decoded and shown before the next one is begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from goodput.video.clip import Frames
from goodput.video.models.autoencoder import FRAMES_PER_LATENT, Autoencoder
from goodput.video.models.autoencoder import Past as DecoderPast
from goodput.video.models.transformer import FilmTransformer, Past, remembered
from goodput.video.sampling.latent import LatentFilm, LatentMaker, padded
from goodput.video.sampling.limits import latent_shape
from goodput.video.sampling.order import Order


@dataclass(kw_only=True)
class CausalFilm(LatentFilm):
    """A film of several chunks."""

    chunks: int
    done: int = 0
    """Chunks that are shown."""
    past: Past = field(default_factory=list)
    decoded: DecoderPast | None = None

    @property
    def steps_left(self) -> int:
        """See ``order.Film``."""
        if self.done == self.chunks:
            return 0
        return self.chunk_steps_left + (self.chunks - self.done - 1) * self.steps


class CausalMaker(LatentMaker[CausalFilm]):
    """A maker for transformers that see no later chunk. ``chunk`` is in latent frames."""

    def __init__(
        self,
        name: str,
        transformer: FilmTransformer,
        autoencoder: Autoencoder,
        *,
        size: int,
        shift: float,
        chunk: int,
    ) -> None:
        multiple = FRAMES_PER_LATENT * chunk
        super().__init__(name, transformer, autoencoder, size=size, shift=shift, multiple=multiple)
        self._chunk = chunk

    def begin(self, order: Order) -> CausalFilm:
        """See ``order.FilmMaker``."""
        words, generator, noise = self._prepared(order, [order.prompt], self._chunk)
        return CausalFilm(
            order=order,
            steps=order.steps,
            words=words,
            generator=generator,
            latents=noise,
            chunks=latent_shape(order)[0] // self._chunk,
        )

    def _company(self, film: CausalFilm) -> int:
        return film.done

    def _clean(self, films: Sequence[CausalFilm], noisy: Tensor, sigma: Tensor) -> Tensor:
        words = padded([film.words for film in films])
        first = films[0].done * self._chunk
        clean, _ = self._transformer.forward_chunk(noisy, sigma, words, _joined(films), first)
        return clean

    def _shown(self, film: CausalFilm) -> Frames:
        """The finished chunk's frames; the film goes on to its next chunk."""
        frames, film.decoded = self._decoded(film.latents, film.decoded)
        film.done += 1
        film.taken = 0
        if film.done < film.chunks:
            with self._timed("denoise"):
                self._remember(film)
        return frames

    def _remember(self, film: CausalFilm) -> None:
        first = (film.done - 1) * self._chunk
        _, own = self._transformer.forward_chunk(
            film.latents, torch.zeros(1), film.words, film.past, first
        )
        film.past = remembered(film.past, own)
        film.latents = torch.randn(film.latents.shape, generator=film.generator)


def _joined(films: Sequence[CausalFilm]) -> Past:
    """The pasts of films at the same chunk, as one batch."""
    pasts = [film.past for film in films]
    return [
        (torch.cat([keys for keys, _ in layer]), torch.cat([values for _, values in layer]))
        for layer in zip(*pasts, strict=True)
    ]
