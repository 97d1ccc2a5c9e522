"""The diffusion transformer, after Wan: it looks at a noisy film and says what the clean one is.

It predicts the clean latents rather than the velocity: a token here has more numbers than a film of
moving shapes has freedom, and clean films are the simpler target (Li and He, "Back to Basics: Let
Denoising Generative Models Denoise", 2025). The velocity follows from it (``flow.py``).
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, rms_norm, scaled_dot_product_attention

from goodput.video.models.family import TransformerConfig
from goodput.video.models.rotary import rotations, turn
from goodput.video.models.text import TextEncoder

_TIME_WIDTH: Final = 128
_MODULATIONS: Final = 6  # shift, scale and gate of attention, and of the feed-forward part


class SelfAttention(nn.Module):
    """Every token looks at every token, with normalised and rotated queries and keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.mix = nn.Linear(width, 3 * width)
        self.query_scale = nn.Parameter(torch.ones(width // heads))
        self.key_scale = nn.Parameter(torch.ones(width // heads))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        """``x`` is (batch, tokens, width)."""
        mixed = self.mix(x).unflatten(2, (3, self.heads, -1))
        q, k, v = mixed.permute(2, 0, 3, 1, 4)
        q = turn(rms_norm(q, q.shape[-1:], self.query_scale, 1e-6), rotation)
        k = turn(rms_norm(k, k.shape[-1:], self.key_scale, 1e-6), rotation)
        attended = scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out


class CrossAttention(nn.Module):
    """Every token looks at the words."""

    def __init__(self, width: int, heads: int, text_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.words = nn.Linear(text_width, 2 * width)
        self.query_scale = nn.Parameter(torch.ones(width // heads))
        self.key_scale = nn.Parameter(torch.ones(width // heads))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, text: Tensor, seen: Tensor) -> Tensor:
        """``text`` is (batch, words, text_width), ``seen`` (batch, words) masks padding."""
        q = self.query(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
        k, v = self.words(text).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q = rms_norm(q, q.shape[-1:], self.query_scale, 1e-6)
        k = rms_norm(k, k.shape[-1:], self.key_scale, 1e-6)
        attended = scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None, None, :])
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Attention, a look at the words, and a feed-forward part, modulated by the noise level."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.modulation = nn.Parameter(torch.zeros(_MODULATIONS, width))
        self.attention = SelfAttention(width, config.heads)
        self.cross_scale = nn.Parameter(torch.ones(width))
        self.cross = CrossAttention(width, config.heads, config.text_width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, modulation: Tensor, text: Tensor, seen: Tensor, rotation: Tensor
    ) -> Tensor:
        """``modulation`` is (batch, 6, 1, width), of the noise level."""
        parts = (modulation + self.modulation[:, None]).unbind(1)
        shift, scale, gate, shift_up, scale_up, gate_up = parts
        x = x + gate * self.attention(_normed(x) * (1 + scale) + shift, rotation)
        x = x + self.cross(_normed(x) * self.cross_scale, text, seen)
        inner = gelu(self.up(_normed(x) * (1 + scale_up) + shift_up), approximate="tanh")
        return x + gate_up * self.down(inner)


class FilmTransformer(nn.Module):
    """Noisy latents, their noise level and a sentence in, clean latents out."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.text = TextEncoder(config.text_width, config.text_depth)
        self.embed = nn.Linear(config.patch_values, width)
        self.time = nn.Sequential(nn.Linear(_TIME_WIDTH, width), nn.SiLU(), nn.Linear(width, width))
        self.modulate = nn.Linear(width, _MODULATIONS * width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.last_modulation = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, config.patch_values)
        for layer in (self.modulate, self.last_modulation, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, noisy: Tensor, sigma: Tensor, text: Tensor, seen: Tensor) -> Tensor:
        """Clean latents of the same shape as ``noisy``, (batch, channels, frames, height, width).

        ``sigma`` (batch,) is each film's share of noise, 0 to 1; ``text`` and ``seen`` are the text
        encoder's. Sides must be multiples of the patch.
        """
        tokens, grid = self._tokens(noisy)
        x = self.embed(tokens)
        time = self.time(_waves(sigma))
        modulation = self.modulate(torch.nn.functional.silu(time))
        modulation = modulation.unflatten(1, (_MODULATIONS, 1, -1))
        rotation = rotations(grid, self.config.width // self.config.heads)
        for block in self.blocks:
            x = block(x, modulation, text, seen, rotation)
        shift, scale = self.last_modulation(time)[:, None].chunk(2, dim=-1)
        return self._latents(self.head(_normed(x) * (1 + scale) + shift), grid)

    def _tokens(self, latents: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        """(batch, tokens, numbers in a token), frames before rows before columns."""
        frames, height, width = self.config.patch
        x = latents.unflatten(4, (-1, width)).unflatten(3, (-1, height)).unflatten(2, (-1, frames))
        grid = (x.shape[2], x.shape[4], x.shape[6])
        # batch, channels, t, in t, y, in y, x, in x -> batch, t, y, x, channels, in t, in y, in x
        return x.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3), grid

    def _latents(self, tokens: Tensor, grid: tuple[int, int, int]) -> Tensor:
        x = tokens.unflatten(2, (self.config.latent_channels, *self.config.patch))
        x = x.unflatten(1, grid).permute(0, 4, 1, 5, 2, 6, 3, 7)
        return x.flatten(6, 7).flatten(4, 5).flatten(2, 3)


def _normed(x: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(x, x.shape[-1:])


def _waves(sigma: Tensor) -> Tensor:
    """Noise levels as sines and cosines of many frequencies: (batch, 128)."""
    half = _TIME_WIDTH // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=sigma.device) / half)
    angles = 1000 * sigma[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)
