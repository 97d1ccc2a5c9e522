"""Rotary positions in three dimensions, as in Wan: a part of each head turns with each axis."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

Grid = tuple[int, int, int]
"""Tokens along frames, height and width."""


@lru_cache(maxsize=16)
def rotations(grid: Grid, head_width: int, first_frame: int = 0) -> Tensor:
    """(2, tokens, head_width / 2): cosines, then sines; tokens by frames, then rows, then columns.

    Two thirds of a head's pairs turn with height and width, the rest with time. Whoever gets them
    must not write into them.
    """
    pairs = head_width // 2
    across = pairs // 3
    shares = (pairs - 2 * across, across, across)
    starts = (first_frame, 0, 0)
    axes = [
        torch.outer(
            torch.arange(start, start + count, dtype=torch.float32),
            100.0 ** (-torch.arange(share, dtype=torch.float32) / share),
        )
        for count, share, start in zip(grid, shares, starts, strict=True)
    ]
    frames, height, width = grid
    time = axes[0][:, None, None].expand(frames, height, width, -1)
    down = axes[1][None, :, None].expand(frames, height, width, -1)
    along = axes[2][None, None, :].expand(frames, height, width, -1)
    angles = torch.cat([time, down, along], dim=-1).flatten(0, 2)
    return torch.stack([angles.cos(), angles.sin()])


def turn(x: Tensor, rotation: Tensor) -> Tensor:
    """``x`` (batch, heads, tokens, head_width) turned to its places by ``rotations``."""
    one, other = x.chunk(2, dim=-1)
    cosine, sine = rotation
    return torch.cat([one * cosine - other * sine, one * sine + other * cosine], dim=-1)
