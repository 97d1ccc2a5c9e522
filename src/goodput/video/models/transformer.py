"""The diffusion transformer, after Wan: it looks at a noisy film and says what the clean one is.

It predicts the clean latents rather than the velocity: a token here has more numbers than a film of
moving shapes has freedom, and clean films are the simpler target (Li and He, "Back to Basics: Let
Denoising Generative Models Denoise", 2025). The velocity follows from it (``flow.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    gelu,
    layer_norm,
    rms_norm,
    scaled_dot_product_attention,
    silu,
)

from goodput.video.models.family import TransformerConfig
from goodput.video.models.rotary import Grid, rotations, turn
from goodput.video.models.sparse import sparse_attention
from goodput.video.models.text import TextEncoder

_TIME_WIDTH: Final = 128
_MODULATIONS: Final = 6  # shift, scale and gate of attention, and of the feed-forward part


Words = tuple[Tensor, Tensor]
"""What the text encoder says, (batch, words, text_width), and which of it are words."""

Keys = tuple[Tensor, Tensor]
"""Keys, turned to their places, and values of some tokens: each (batch, heads, tokens, width)."""


Past = list[Keys]
"""Of each block; empty before the first chunk."""


@dataclass(frozen=True)
class View:
    """Where the tokens stand, and which of them they see: all, or those of a mask."""

    grid: Grid
    rotation: Tensor
    mask: Tensor | None = None
    dense: bool = False
    """Sparse attention is for whole films only."""


@lru_cache(maxsize=16)
def chunk_mask(grid: Grid, chunk: int) -> Tensor:
    """(tokens, tokens): each sees its own chunk of ``chunk`` frames and those before."""
    frames, height, width = grid
    chunks = (torch.arange(frames) // chunk).repeat_interleave(height * width)
    return chunks[:, None] >= chunks[None, :]


class SelfAttention(nn.Module):
    """Every token looks at every token, with normalised and rotated queries and keys.

    With ``cubes`` it looks at some of them (``sparse.py``) where all frames are there together; a
    chunk and its past, and a masked film, are short, and dense.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.heads = heads
        self.cubes = config.cubes
        self.sparsity = config.sparsity
        self.gate = None if config.cubes is None else nn.Linear(width, width)
        if self.gate is not None:
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)
        self.mix = nn.Linear(width, 3 * width)
        self.query_scale = nn.Parameter(torch.ones(width // heads))
        self.key_scale = nn.Parameter(torch.ones(width // heads))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, view: View, past: Keys | None) -> tuple[Tensor, Keys]:
        """``x`` is (batch, tokens, width); also the keys and values of its tokens."""
        mixed = self.mix(x).unflatten(2, (3, self.heads, -1))
        q, k, v = mixed.permute(2, 0, 3, 1, 4)
        q = turn(rms_norm(q, q.shape[-1:], self.query_scale, 1e-6), view.rotation)
        k = turn(rms_norm(k, k.shape[-1:], self.key_scale, 1e-6), view.rotation)
        own = (k, v)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        if self.gate is None or self.cubes is None or view.dense or view.mask is not None:
            attended = scaled_dot_product_attention(q, k, v, attn_mask=view.mask)
        else:
            gate = self.gate(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            attended = sparse_attention(q, k, v, view.grid, self.cubes, self.sparsity, gate)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out, own


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
        self.attention = SelfAttention(config)
        self.cross_scale = nn.Parameter(torch.ones(width))
        self.cross = CrossAttention(width, config.heads, config.text_width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, modulation: Tensor, words: Words, view: View, past: Keys | None
    ) -> tuple[Tensor, Keys]:
        """``modulation`` is (batch, 6, tokens or 1, width), of the noise levels."""
        parts = (modulation + self.modulation[:, None]).unbind(1)
        shift, scale, gate, shift_up, scale_up, gate_up = parts
        attended, own = self.attention(_normed(x) * (1 + scale) + shift, view, past)
        x = x + gate * attended
        x = x + self.cross(_normed(x) * self.cross_scale, *words)
        inner = gelu(self.up(_normed(x) * (1 + scale_up) + shift_up), approximate="tanh")
        return x + gate_up * self.down(inner), own


class FilmTransformer(nn.Module):
    """Noisy latents, their noise level and a sentence in, clean latents out."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.text = TextEncoder(config.text_width, config.text_depth)
        self.embed = nn.Linear(config.patch_values, width)
        self.time = nn.Sequential(nn.Linear(_TIME_WIDTH, width), nn.SiLU(), nn.Linear(width, width))
        self.sentence = nn.Linear(config.text_width, width)
        self.modulate = nn.Linear(width, _MODULATIONS * width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.last_modulation = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, config.patch_values)
        for layer in (self.modulate, self.last_modulation, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self, noisy: Tensor, sigma: Tensor, text: Tensor, seen: Tensor, *, chunk: int | None = None
    ) -> Tensor:
        """Clean latents of the same shape as ``noisy``, (batch, channels, frames, height, width).

        ``sigma`` is each film's share of noise, 0 to 1, (batch,), or one for each of its latent
        frames, (batch, frames); ``text`` and ``seen`` are the text encoder's. With ``chunk`` no
        latent frame sees a later chunk of so many. Sides must be multiples of the patch.
        """
        tokens, grid = self._tokens(noisy)
        mask = None if chunk is None else chunk_mask(grid, chunk // self.config.patch[0])
        view = View(grid, rotations(grid, self.config.width // self.config.heads), mask)
        clean, _ = self._run(tokens, grid, sigma, (text, seen), view, None)
        return clean

    def forward_chunk(
        self, noisy: Tensor, sigma: Tensor, words: Words, past: Past, first: int
    ) -> tuple[Tensor, Past]:
        """``forward`` of one chunk that begins at latent frame ``first``, after those in ``past``.

        Also the chunk's own keys and values in each block: those of a clean chunk (``sigma`` 0),
        appended with :func:`remembered`, are the past of the next one.
        """
        tokens, grid = self._tokens(noisy)
        start = first // self.config.patch[0]
        rotation = rotations(grid, self.config.width // self.config.heads, start)
        view = View(grid, rotation, dense=True)
        return self._run(tokens, grid, sigma, words, view, past)

    def _run(
        self,
        tokens: Tensor,
        grid: Grid,
        sigma: Tensor,
        words: Words,
        view: View,
        past: Past | None,
    ) -> tuple[Tensor, Past]:
        x = self.embed(tokens)
        # The sentence as a whole turns the same knobs as the noise level: a single thing's
        # attributes are learned sooner than by looking at words, which two things need.
        time = self._time(sigma, grid) + self.sentence(_mean(*words))[:, None]
        modulation = self.modulate(silu(time)).unflatten(2, (_MODULATIONS, -1)).transpose(1, 2)
        own: Past = []
        for number, block in enumerate(self.blocks):
            before = past[number] if past else None
            x, keys = block(x, modulation, words, view, before)
            own.append(keys)
        shift, scale = self.last_modulation(time).chunk(2, dim=-1)
        return self._latents(self.head(_normed(x) * (1 + scale) + shift), grid), own

    def _time(self, sigma: Tensor, grid: Grid) -> Tensor:
        """What the noise levels say: (batch, 1, width), or (batch, tokens, width) by frame."""
        if sigma.ndim == 1:
            known: Tensor = self.time(_waves(sigma))
            return known[:, None]
        levels = sigma[:, :: self.config.patch[0]]
        by_frame: Tensor = self.time(_waves(levels.flatten())).unflatten(0, levels.shape)
        return by_frame.repeat_interleave(grid[1] * grid[2], dim=1)

    def _tokens(self, latents: Tensor) -> tuple[Tensor, Grid]:
        """(batch, tokens, numbers in a token), frames before rows before columns."""
        frames, height, width = self.config.patch
        x = latents.unflatten(4, (-1, width)).unflatten(3, (-1, height)).unflatten(2, (-1, frames))
        grid = (x.shape[2], x.shape[4], x.shape[6])
        # batch, channels, t, in t, y, in y, x, in x -> batch, t, y, x, channels, in t, in y, in x
        return x.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3), grid

    def _latents(self, tokens: Tensor, grid: Grid) -> Tensor:
        x = tokens.unflatten(2, (self.config.latent_channels, *self.config.patch))
        x = x.unflatten(1, grid).permute(0, 4, 1, 5, 2, 6, 3, 7)
        latents: Tensor = x.flatten(6, 7).flatten(4, 5).flatten(2, 3)
        return latents


def remembered(past: Past, chunk: Past) -> Past:
    """The past with one more chunk at its end."""
    if not past:
        return chunk
    return [
        (torch.cat([k, own_k], dim=2), torch.cat([v, own_v], dim=2))
        for (k, v), (own_k, own_v) in zip(past, chunk, strict=True)
    ]


def _mean(text: Tensor, seen: Tensor) -> Tensor:
    """Of the words of each sentence: (batch, text_width)."""
    weights = seen / seen.sum(1, keepdim=True)
    return (text * weights[:, :, None]).sum(1)


def _normed(x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:])


def _waves(sigma: Tensor) -> Tensor:
    """Noise levels as sines and cosines of many frequencies: (batch, 128)."""
    half = _TIME_WIDTH // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=sigma.device) / half)
    angles = 1000 * sigma[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)
