"""What all makers of ours have in common: noise that becomes latents, step by step, in company."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.clip import Frames
from goodput.video.models.autoencoder import Autoencoder, Past
from goodput.video.models.pixels import frames_of
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer, Words
from goodput.video.sampling.limits import check, latent_shape
from goodput.video.sampling.order import Order


@dataclass(kw_only=True)
class LatentFilm:
    """A film whose present chunk is noise on its way to latents."""

    order: Order
    steps: int
    words: Words
    generator: torch.Generator
    latents: Tensor
    levels: Tensor = field(default_factory=lambda: torch.empty(0))
    """Noise levels of the chunk, fixed by its first step."""
    taken: int = 0
    """Steps of the chunk."""

    @property
    def chunk_steps_left(self) -> int:
        """Steps until the present chunk is clean."""
        return (len(self.levels) - 1 if self.taken else self.steps) - self.taken


AnyLatentFilm = TypeVar("AnyLatentFilm", bound=LatentFilm)


class LatentMaker(ABC, Generic[AnyLatentFilm]):
    """Makes films with a transformer and an autoencoder, which it owns.

    ``seconds`` sums the time of each stage; a film has a multiple of ``multiple`` frames.
    """

    def __init__(
        self,
        name: str,
        transformer: FilmTransformer,
        autoencoder: Autoencoder,
        *,
        size: int,
        shift: float,
        multiple: int,
    ) -> None:
        self.name = name
        self.multiple = multiple
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._transformer = transformer.eval().requires_grad_(False)
        self._autoencoder = autoencoder.eval().requires_grad_(False)
        self._size = size
        self._shift = shift

    def denoise(self, films: Sequence[AnyLatentFilm]) -> list[Frames | None]:
        """See ``order.FilmMaker``. Films that do not go together pass the network in turns."""
        with self._timed("denoise"):
            companies: dict[Hashable, list[AnyLatentFilm]] = {}
            for film in films:
                if not film.taken:
                    film.levels = flow.schedule(film.steps, self._shift)
                companies.setdefault(self._company(film), []).append(film)
            for company in companies.values():
                self._step(company)
        return [None if film.chunk_steps_left else self._shown(film) for film in films]

    @abstractmethod
    def _company(self, film: AnyLatentFilm) -> Hashable:
        """Films that have it in common can go through the network together."""

    @abstractmethod
    def _clean(self, films: Sequence[AnyLatentFilm], noisy: Tensor, sigma: Tensor) -> Tensor:
        """The clean chunks that ``noisy``, one of each film, are taken for."""

    @abstractmethod
    def _shown(self, film: AnyLatentFilm) -> Frames:
        """The frames of the chunk that is clean now."""

    def _after(
        self,
        films: Sequence[AnyLatentFilm],
        noisy: Tensor,
        clean: Tensor,
        sigma: Tensor,
        following: Tensor,
    ) -> Tensor:
        """The chunks at the ``following`` noise levels: fresh noise on the clean ones."""
        fresh = [torch.randn(film.latents.shape, generator=film.generator) for film in films]
        return flow.noised(clean, torch.cat(fresh), following)

    def _step(self, films: Sequence[AnyLatentFilm]) -> None:
        noisy = torch.cat([film.latents for film in films])
        sigma = torch.stack([film.levels[film.taken] for film in films])
        following = torch.stack([film.levels[film.taken + 1] for film in films])
        clean = self._clean(films, noisy, sigma)
        after = self._after(films, noisy, clean, sigma, following)
        for film, latents in zip(films, after.split(1), strict=True):
            film.latents = latents
            film.taken += 1

    def _prepared(
        self, order: Order, sentences: Sequence[str], frames: int
    ) -> tuple[Words, torch.Generator, Tensor]:
        """The encoded sentences, and the first noise of ``frames`` latent frames from its seed.

        Raises InvalidRequestError for an order that cannot be filled.
        """
        check(order, self.name, self._size, self.multiple)
        with self._timed("text"):
            generator = torch.Generator().manual_seed(order.seed)
            channels = self._transformer.config.latent_channels
            shape = (1, channels, frames, *latent_shape(order)[1:])
            noise = torch.randn(shape, generator=generator)
            return self._transformer.text(tokens_of(sentences)), generator, noise

    def _decoded(self, latents: Tensor, past: Past | None) -> tuple[Frames, Past]:
        with self._timed("decode"):
            pixels, past = self._autoencoder.decode(latents, past)
            return frames_of(pixels[0]), past

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - started


def padded(texts: Sequence[Words]) -> Words:
    """Encoded sentences of several lengths as one batch; what is added is masked."""
    longest = max(seen.shape[1] for _, seen in texts)
    vectors, masks = [], []
    for text, seen in texts:
        missing = longest - seen.shape[1]
        vectors.append(torch.nn.functional.pad(text, (0, 0, 0, missing)))
        masks.append(torch.nn.functional.pad(seen, (0, missing)))
    return torch.cat(vectors), torch.cat(masks)
