"""The autoencoder's stage."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from goodput.video.data.source import ClipSource
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.pixels import pixels_of
from goodput.video.training.recipe import AutoencoderStage

_SMALLNESS: Final = 1e-4
"""Weight of the latents' mean square: keeps them from growing to drown the noise."""
_SQUARES: Final = 4.0
"""Weight of the squared error beside the absolute one: no pixel may be far off."""


class AutoencoderLoss:
    """Reconstruction of pieces of clips, each step's different from the last one's."""

    def __init__(
        self, network: Autoencoder, stage: AutoencoderStage, source: ClipSource, size: int
    ) -> None:
        self._network = network
        self._stage = stage
        self._source = source
        self._size = size

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """See ``optimiser.Loss``."""
        stage = self._stage
        pixels = self._pieces(step, generator)
        latents = self._network.raw_latents(pixels)
        # Relative to their own size, so that the noise cannot be outgrown.
        noise = torch.randn(latents.shape, generator=generator) * stage.latent_noise
        disturbed = latents + noise * latents.detach().std()
        rebuilt, _ = self._network.from_raw(disturbed)
        error = l1_loss(rebuilt, pixels) + _SQUARES * mse_loss(rebuilt, pixels)
        return error + _SMALLNESS * latents.pow(2).mean()

    def _pieces(self, step: int, generator: torch.Generator) -> Tensor:
        stage, pieces = self._stage, []
        for number in range(step * stage.batch, (step + 1) * stage.batch):
            clip, _ = self._source.sample(number % (self._source.count or 1 << 40), self._size)
            last = len(clip.frames) - stage.frames
            first = int(torch.randint(0, last + 1, (1,), generator=generator))
            pieces.append(pixels_of(clip.frames[first : first + stage.frames]))
        return torch.stack(pieces)


@torch.no_grad()
def standardise(network: Autoencoder, source: ClipSource, size: int, clips: int = 64) -> None:
    """Measure the latents of ``clips`` clips and have the network standardise by them."""
    latents = torch.cat(
        [
            network.raw_latents(pixels_of(source.sample(number, size)[0].frames)[None])
            for number in range(min(clips, source.count or clips))
        ]
    )
    places = (0, 2, 3, 4)
    network.mean.copy_(latents.mean(places).view(network.mean.shape))
    network.deviation.copy_(latents.std(places).clamp(min=1e-6).view(network.deviation.shape))


@torch.no_grad()
def reconstruction_db(network: Autoencoder, source: ClipSource, size: int, clips: int) -> float:
    """Peak signal-to-noise ratio of whole clips after both ways, in decibels."""
    errors = []
    for number in range(min(clips, source.count or clips)):
        pixels = pixels_of(source.sample(number, size)[0].frames)[None]
        rebuilt, _ = network.decode(network.encode(pixels))
        errors.append(mse_loss(rebuilt.clamp(-1, 1), pixels).item() / 4)
    mean = max(sum(errors) / len(errors), 1e-10)
    return float(-10 * torch.log10(torch.tensor(mean)))
