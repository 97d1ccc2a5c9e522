"""Our own models as makers of films."""

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
from goodput.video.models.pixels import frames_of
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.limits import check, latent_shape
from goodput.video.sampling.order import Order


@dataclass
class DiffusionFilm:
    """A film of one chunk: noise that becomes latents."""

    order: Order
    steps: int
    latents: Tensor
    text: tuple[Tensor, Tensor]
    """The encoded sentence, and which of it are words; with guidance the empty sentence follows."""
    generator: torch.Generator
    taken: int = 0
    levels: Tensor = field(default_factory=lambda: torch.empty(0))
    """Noise levels of its steps, fixed by the first one."""

    @property
    def steps_left(self) -> int:
        """See ``order.Film``."""
        return (len(self.levels) - 1 if self.taken else self.steps) - self.taken


class DiffusionMaker:
    """Makes films with a transformer and an autoencoder, which it owns.

    With ``guidance`` above 1 every step asks the network twice, with and without the sentence, and
    takes an Euler step: the way of a teacher. With 1, as for a distilled student, each step guesses
    the clean film and puts fresh noise on it. ``seconds`` sums the time of each stage; a film has a
    multiple of ``multiple`` frames.
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
        self.name = name
        self.guidance = guidance
        self.multiple = FRAMES_PER_LATENT * transformer.config.patch[0]
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._transformer = transformer.eval().requires_grad_(False)
        self._autoencoder = autoencoder.eval().requires_grad_(False)
        self._size = size
        self._shift = shift

    def begin(self, order: Order) -> DiffusionFilm:
        """See ``order.FilmMaker``."""
        check(order, self.name, self._size, self.multiple)
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(order.seed)
        channels = self._transformer.config.latent_channels
        noise = torch.randn((1, channels, *latent_shape(order)), generator=generator)
        sentences = [order.prompt, ""] if self.guidance > 1 else [order.prompt]
        text = self._transformer.text(tokens_of(sentences))
        self.seconds["text"] += time.perf_counter() - started
        return DiffusionFilm(order, order.steps, noise, text, generator)

    def denoise(self, films: Sequence[DiffusionFilm]) -> list[Frames | None]:
        """See ``order.FilmMaker``. Films of several lengths go through the network in turns."""
        started = time.perf_counter()
        by_length: dict[int, list[DiffusionFilm]] = {}
        for film in films:
            if not film.taken:
                film.levels = flow.schedule(film.steps, self._shift)
            by_length.setdefault(film.latents.shape[2], []).append(film)
        for alike in by_length.values():
            self._step(alike)
        self.seconds["denoise"] += time.perf_counter() - started
        return [None if film.steps_left else self._decoded(film) for film in films]

    def _step(self, films: Sequence[DiffusionFilm]) -> None:
        noisy = torch.cat([film.latents for film in films])
        sigma = torch.stack([film.levels[film.taken] for film in films])
        following = torch.stack([film.levels[film.taken + 1] for film in films])
        clean = self._clean(films, noisy, sigma)
        if self.guidance > 1:
            after = flow.stepped(noisy, clean, sigma, following)
        else:
            fresh = [torch.randn(film.latents.shape, generator=film.generator) for film in films]
            after = flow.noised(clean, torch.cat(fresh), following)
        for film, latents in zip(films, after.split(1), strict=True):
            film.latents = latents
            film.taken += 1

    def _clean(self, films: Sequence[DiffusionFilm], noisy: Tensor, sigma: Tensor) -> Tensor:
        asked = [(film.text[0][:1], film.text[1][:1]) for film in films]
        if self.guidance <= 1:
            clean: Tensor = self._transformer(noisy, sigma, *padded(asked))
            return clean
        unasked = [(film.text[0][1:], film.text[1][1:]) for film in films]
        text, seen = padded([*asked, *unasked])
        both = self._transformer(torch.cat([noisy, noisy]), torch.cat([sigma, sigma]), text, seen)
        with_text, without = both.chunk(2)
        return flow.guided(without, with_text, self.guidance)

    def _decoded(self, film: DiffusionFilm) -> Frames:
        started = time.perf_counter()
        pixels, _ = self._autoencoder.decode(film.latents)
        frames = frames_of(pixels[0])
        self.seconds["decode"] += time.perf_counter() - started
        return frames


def padded(texts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Encoded sentences of several lengths as one batch; what is added is masked."""
    longest = max(seen.shape[1] for _, seen in texts)
    vectors, masks = [], []
    for text, seen in texts:
        missing = longest - seen.shape[1]
        vectors.append(torch.nn.functional.pad(text, (0, 0, 0, missing)))
        masks.append(torch.nn.functional.pad(seen, (0, missing)))
    return torch.cat(vectors), torch.cat(masks)
