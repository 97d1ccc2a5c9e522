"""A causal autoencoder of films: 4 frames of 4 by 4 pixels become one latent.

Causal in groups of four frames: a latent frame depends on no later pixels, and the pixels that it
decodes to depend on no later latents, so a film can be decoded while the rest of it is still made.
Convolutions are spatial; time enters by folding four frames into channels and by looking one latent
frame back in every residual block. That is far cheaper on a CPU than 3-D kernels, and all that a
decoder has to remember between chunks is one frame a block.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, silu

from goodput.video.models.family import AutoencoderConfig

FRAMES_PER_LATENT: Final = 4
PIXELS_PER_LATENT: Final = 4

Past = list[Tensor | None]
"""What causal blocks remember between chunks: each the last frame that it saw, None at first."""


class FrameNorm(nn.Module):
    """Root mean square over the channels of each place, so that no place sees another."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(frames, channels, height, width), the same shape out."""
        return x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6) * self.scale


class CausalBlock(nn.Module):
    """A residual block: a look at the neighbours in space, and at the frame before."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = FrameNorm(channels)
        self.space = nn.Conv2d(channels, channels, 3, padding=1)
        self.time = nn.Conv2d(2 * channels, channels, 1)
        # Begins as the identity.
        nn.init.zeros_(self.time.weight)
        nn.init.zeros_(self.time.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """``x`` is (batch, frames, channels, height, width), ``past`` the frame before it.

        Returns the same shape, and what to give as ``past`` with the frames that follow.
        """
        batch, frames = x.shape[:2]
        inner = self.space(silu(self.norm(x.flatten(0, 1)))).unflatten(0, (batch, frames))
        first = torch.zeros_like(inner[:, :1]) if past is None else past
        before = torch.cat([first, inner[:, :-1]], dim=1)
        joined = torch.cat([inner, before], dim=2).flatten(0, 1)
        return x + self.time(silu(joined)).unflatten(0, (batch, frames)), inner[:, -1:]


class Autoencoder(nn.Module):
    """Pixels in [-1, 1], (batch, 3, frames, height, width), to latents and back.

    Latents leave and enter standardised: mean 0 and deviation 1 in each channel, by the statistics
    that training measured at its end.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        width, inner = config.width, config.width // 2
        self.fold = nn.Sequential(
            nn.Conv2d(12, inner, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(inner, width, 4, stride=2, padding=1),
            nn.SiLU(),
        )
        self.gather = nn.Conv2d(FRAMES_PER_LATENT * width, 2 * width, 1)
        self.encoder = nn.ModuleList(CausalBlock(2 * width) for _ in range(2))
        self.squeeze = nn.Conv2d(2 * width, config.channels, 1)
        self.widen = nn.Conv2d(config.channels, 2 * width, 3, padding=1)
        self.decoder = nn.ModuleList(CausalBlock(2 * width) for _ in range(2))
        self.spread = nn.Conv2d(2 * width, FRAMES_PER_LATENT * width, 1)
        self.unfold = nn.Sequential(
            nn.SiLU(),
            nn.Conv2d(width, 4 * inner, 3, padding=1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(inner, 12, 3, padding=1),
        )
        self.register_buffer("mean", torch.zeros(config.channels, 1, 1, 1))
        self.register_buffer("deviation", torch.ones(config.channels, 1, 1, 1))

    def encode(self, pixels: Tensor) -> Tensor:
        """Latents (batch, channels, frames / 4, height / 4, width / 4)."""
        return (self.raw_latents(pixels) - self.mean) / self.deviation

    def raw_latents(self, pixels: Tensor) -> Tensor:
        """Latents before they are standardised; what training looks at."""
        batch, _, frames = pixels.shape[:3]
        pictures = pixels.transpose(1, 2).flatten(0, 1)
        folded = self.fold(pixel_unshuffle(pictures, 2))
        groups = folded.unflatten(0, (batch * frames // FRAMES_PER_LATENT, FRAMES_PER_LATENT))
        x = self.gather(groups.flatten(1, 2)).unflatten(0, (batch, -1))
        for block in self.encoder:
            x, _ = block(x, None)
        latents: Tensor = self.squeeze(x.flatten(0, 1)).unflatten(0, (batch, -1))
        return latents.transpose(1, 2)

    def decode(self, latents: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """Pixels of these latent frames, and the ``past`` for those that follow.

        A film decoded chunk by chunk is the film decoded at once.
        """
        return self.from_raw(latents * self.deviation + self.mean, past)

    def from_raw(self, latents: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """``decode`` of latents that are not standardised."""
        batch = latents.shape[0]
        x = self.widen(latents.transpose(1, 2).flatten(0, 1)).unflatten(0, (batch, -1))
        before = past or [None] * len(self.decoder)
        after: Past = []
        for block, seen in zip(self.decoder, before, strict=True):
            x, last = block(x, seen)
            after.append(last)
        spread = self.spread(x.flatten(0, 1))
        frames = spread.unflatten(1, (FRAMES_PER_LATENT, -1)).flatten(0, 1)
        pictures = pixel_shuffle(self.unfold(frames), 2)
        return pictures.unflatten(0, (batch, -1)).transpose(1, 2), after
