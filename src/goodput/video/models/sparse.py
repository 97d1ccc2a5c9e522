"""Video sparse attention: a coarse look at everything, a fine one at the cubes that matter.

After VSA (Zhang et al., "Faster Video Diffusion with Trainable Sparse Attention", 2025). Tokens are
grouped into cubes of neighbouring frames, rows and columns. The cubes' means attend to each other,
which costs next to nothing; each cube of queries then attends exactly to the few cubes of keys
that its mean liked best. The choice has no gradient; scores learn through the coarse result, which
is added through a gate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from goodput.video.models.rotary import Grid

Cubes = tuple[int, int, int]
"""Tokens of a cube along frames, height and width."""


@dataclass(frozen=True)
class Tables:
    """How the tokens of a grid lie in cubes. ``places`` (cubes, cube size) are token numbers, those
    that pad a cube at the edge repeat token 0 and are False in ``valid``; ``back`` (tokens,) finds
    each token in the flattened cubes."""

    places: Tensor
    valid: Tensor
    back: Tensor


@lru_cache(maxsize=32)
def tables_of(grid: Grid, cubes: Cubes) -> Tables:
    """The tables of tokens in (frames, height, width) order, row after row."""
    padded = [-(-side // cube) * cube for side, cube in zip(grid, cubes, strict=True)]
    numbers = torch.full(padded, -1)
    numbers[: grid[0], : grid[1], : grid[2]] = torch.arange(math.prod(grid)).view(grid)
    frames, height, width = cubes
    split = numbers.unflatten(2, (-1, width)).unflatten(1, (-1, height)).unflatten(0, (-1, frames))
    places = split.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(0, 2)
    valid = places >= 0
    back = torch.empty(math.prod(grid), dtype=torch.long)
    back[places[valid]] = torch.arange(places.numel()).view(places.shape)[valid]
    return Tables(places.clamp(min=0), valid, back)


def kept_cubes(cubes: int, sparsity: float) -> int:
    """Of ``cubes``, how many each cube of queries looks at."""
    return min(max(math.ceil((1 - sparsity) * cubes), 1), cubes)


def sparse_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    grid: Grid,
    cubes: Cubes,
    sparsity: float,
    gate: Tensor | None = None,
) -> Tensor:
    """Attention of the same shape as ``q``, (batch, heads, tokens, head_width).

    Tokens lie in (frames, height, width) order of ``grid``. ``sparsity`` is the share of cubes that
    is left out; at 0 the fine result is that of dense attention, by the same call on the same
    order. ``gate``, broadcast to ``q``, is what the coarse result is added with; without one it is
    left out.
    """
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity lies in [0, 1), not {sparsity}")
    tables = tables_of(grid, cubes)
    count = kept_cubes(len(tables.places), sparsity)
    if count == len(tables.places) and gate is None:
        return scaled_dot_product_attention(q, k, v)
    in_cubes = (q[:, :, tables.places], k[:, :, tables.places], v[:, :, tables.places])
    scores, coarse = _coarse(*in_cubes, tables)
    if count == len(tables.places):
        fine = scaled_dot_product_attention(q, k, v)
    else:
        chosen = scores.topk(count, dim=-1).indices
        # A GPU skips blocks inside one kernel; a CPU gathers them and calls the dense one.
        fine = (fine_by_blocks if q.is_cuda else _fine)(*in_cubes, chosen, tables)
    if gate is None:
        return fine
    of_tokens = coarse[:, :, :, None].expand(in_cubes[0].shape).flatten(2, 3)[:, :, tables.back]
    return gate * of_tokens + fine


def _coarse(q: Tensor, k: Tensor, v: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    """Scores between cubes, and what their means see: (batch, heads, cubes, head_width)."""
    weights = tables.valid / tables.valid.sum(1, keepdim=True)
    means = [torch.einsum("bhncd,nc->bhnd", x, weights.to(x)) for x in (q, k, v)]
    scores = means[0] @ means[1].transpose(-1, -2) / math.sqrt(q.shape[-1])
    return scores, scores.softmax(dim=-1) @ means[2]


def _fine(q: Tensor, k: Tensor, v: Tensor, chosen: Tensor, tables: Tables) -> Tensor:
    """Exact attention of each cube to the ``chosen`` ones, (batch, heads, cubes, kept)."""
    batch, heads, cubes, size, width = q.shape
    index = chosen[..., None, None].expand(*chosen.shape, size, width)
    keys, values = (
        torch.gather(x[:, :, None].expand(-1, -1, cubes, -1, -1, -1), 3, index).flatten(3, 4)
        for x in (k, v)
    )
    mask = (
        None
        if bool(tables.valid.all())
        else tables.valid.to(q.device)[chosen].flatten(3)[:, :, :, None]
    )
    out = scaled_dot_product_attention(q, keys, values, attn_mask=mask)
    return out.reshape(batch, heads, cubes * size, width)[:, :, tables.back]


def fine_by_blocks(q: Tensor, k: Tensor, v: Tensor, chosen: Tensor, tables: Tables) -> Tensor:
    """The same as one call with a block mask, compiled on a GPU. It has not run on one."""
    from torch.nn.attention.flex_attention import BlockMask, flex_attention

    batch, heads, cubes, size, width = q.shape
    selected = torch.zeros(batch, heads, cubes, cubes, dtype=torch.bool, device=q.device)
    selected.scatter_(3, chosen, True)
    valid = tables.valid.flatten().to(q.device)

    def sees(b: Tensor, h: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return selected[b, h, query // size, key // size] & valid[key]

    # Of each row of blocks first those that are seen; the counts say how many.
    order = torch.argsort(selected.int(), dim=-1, descending=True, stable=True).int()
    counts = selected.sum(-1).int()
    mask = BlockMask.from_kv_blocks(counts, order, BLOCK_SIZE=size, mask_mod=sees)
    attend = torch.compile(flex_attention) if q.is_cuda else flex_attention
    flat = (batch, heads, cubes * size, width)
    out: Tensor = attend(q.reshape(flat), k.reshape(flat), v.reshape(flat), block_mask=mask)
    return out[:, :, tables.back.to(q.device)]
