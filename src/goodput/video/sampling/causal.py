"""Films chunk by chunk: each is denoised, decoded and shown before the next one is begun."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from goodput.video import flow
from goodput.video.clip import Frames
from goodput.video.models.autoencoder import FRAMES_PER_LATENT, Autoencoder
from goodput.video.models.autoencoder import Past as DecoderPast
from goodput.video.models.pixels import frames_of
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer, Past, Words, remembered
from goodput.video.sampling.diffusion import padded
from goodput.video.sampling.limits import check, latent_shape
from goodput.video.sampling.order import Order


@dataclass
class CausalFilm:
    """A film of several chunks, one of which is noise on its way to latents."""

    order: Order
    steps: int
    chunks: int
    words: Words
    generator: torch.Generator
    latents: Tensor
    levels: Tensor = field(default_factory=lambda: torch.empty(0))
    """Noise levels of the chunk, fixed by its first step."""
    taken: int = 0
    """Steps of the chunk."""
    done: int = 0
    """Chunks that are shown."""
    past: Past = field(default_factory=list)
    decoded: DecoderPast | None = None

    @property
    def steps_left(self) -> int:
        """See ``order.Film``."""
        if self.done == self.chunks:
            return 0
        own = len(self.levels) - 1 if self.taken else self.steps
        return own - self.taken + (self.chunks - self.done - 1) * self.steps


class CausalMaker:
    """Makes films with a transformer that sees no later chunk; it owns its networks.

    ``chunk`` is in latent frames. ``seconds`` sums the time of each stage; a film has a multiple
    of ``multiple`` frames.
    """

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
        self.name = name
        self.multiple = FRAMES_PER_LATENT * chunk
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._transformer = transformer.eval().requires_grad_(False)
        self._autoencoder = autoencoder.eval().requires_grad_(False)
        self._size = size
        self._shift = shift
        self._chunk = chunk

    def begin(self, order: Order) -> CausalFilm:
        """See ``order.FilmMaker``."""
        check(order, self.name, self._size, self.multiple)
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(order.seed)
        words = self._transformer.text(tokens_of([order.prompt]))
        frames, *sides = latent_shape(order)
        channels = self._transformer.config.latent_channels
        noise = torch.randn((1, channels, self._chunk, *sides), generator=generator)
        self.seconds["text"] += time.perf_counter() - started
        return CausalFilm(order, order.steps, frames // self._chunk, words, generator, noise)

    def denoise(self, films: Sequence[CausalFilm]) -> list[Frames | None]:
        """See ``order.FilmMaker``. Films at different chunks go through the network in turns."""
        started = time.perf_counter()
        at_chunk: dict[int, list[CausalFilm]] = {}
        for film in films:
            if not film.taken:
                film.levels = flow.schedule(film.steps, self._shift)
            at_chunk.setdefault(film.done, []).append(film)
        for alike in at_chunk.values():
            self._step(alike)
        self.seconds["denoise"] += time.perf_counter() - started
        return [self._shown(film) if film.taken == len(film.levels) - 1 else None for film in films]

    def _step(self, films: Sequence[CausalFilm]) -> None:
        noisy = torch.cat([film.latents for film in films])
        sigma = torch.stack([film.levels[film.taken] for film in films])
        following = torch.stack([film.levels[film.taken + 1] for film in films])
        words = padded([film.words for film in films])
        first = films[0].done * self._chunk
        clean, _ = self._transformer.forward_chunk(noisy, sigma, words, _joined(films), first)
        fresh = [torch.randn(film.latents.shape, generator=film.generator) for film in films]
        after = flow.noised(clean, torch.cat(fresh), following)
        for film, latents in zip(films, after.split(1), strict=True):
            film.latents = latents
            film.taken += 1

    def _shown(self, film: CausalFilm) -> Frames:
        """The finished chunk's frames; the film goes on to its next chunk."""
        started = time.perf_counter()
        pixels, film.decoded = self._autoencoder.decode(film.latents, film.decoded)
        self.seconds["decode"] += time.perf_counter() - started
        film.done += 1
        film.taken = 0
        if film.done < film.chunks:
            self._remember(film)
        return frames_of(pixels[0])

    def _remember(self, film: CausalFilm) -> None:
        started = time.perf_counter()
        first = (film.done - 1) * self._chunk
        _, own = self._transformer.forward_chunk(
            film.latents, torch.zeros(1), film.words, film.past, first
        )
        film.past = remembered(film.past, own)
        film.latents = torch.randn(film.latents.shape, generator=film.generator)
        self.seconds["denoise"] += time.perf_counter() - started


def _joined(films: Sequence[CausalFilm]) -> Past:
    """The pasts of films at the same chunk, as one batch."""
    pasts = [film.past for film in films]
    return [
        (torch.cat([keys for keys, _ in layer]), torch.cat([values for _, values in layer]))
        for layer in zip(*pasts, strict=True)
    ]
