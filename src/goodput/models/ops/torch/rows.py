"""One step's rows as tensors, laid out so that attention needs no loop over sequences."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Turn = tuple[Tensor, Tensor]
"""Cosines and sines of a rotary turn: float32 [rows, 1, head_dim / 2] each."""


@dataclass(slots=True, frozen=True)
class Group:
    """Sequences with equally many rows in this step (``n``), attended in one call.

    ``rows``: int64 [sequences, n]. ``blocks`` and ``offsets``, alike, are where their keys and
    values go. ``tables``: int64 [sequences, width], block ids. ``visible`` and ``local_visible``
    (layers with a sliding window): bool [sequences, 1, sharing * n, width * block_size], where
    ``sharing`` query heads read the same keys.
    """

    rows: Tensor
    blocks: Tensor
    offsets: Tensor
    tables: Tensor
    visible: Tensor
    local_visible: Tensor


@dataclass(slots=True, frozen=True)
class Rows:
    """A whole step on the device. ``tokens`` [rows] and ``sample_rows`` [samples] are int64."""

    tokens: Tensor
    groups: list[Group]
    turn: Turn
    local_turn: Turn
    sample_rows: Tensor


def make_group(
    rows: Tensor,
    tables: Tensor,
    positions: Tensor,
    *,
    block_size: int,
    sharing: int,
    window: int | None,
) -> Group:
    """A group of ``rows`` at ``positions[rows]``; ``tables`` reach the last of these.

    Only operations that a CUDA graph can record: nothing is read back to the host.
    """
    at = positions[rows]
    context = torch.arange(tables.shape[1] * block_size, device=tables.device)
    distance = at[:, :, None] - context
    visible = distance >= 0
    near = visible if window is None else visible & (distance < window)
    return Group(
        rows=rows,
        blocks=tables.gather(1, at // block_size),
        offsets=at % block_size,
        tables=tables,
        visible=visible.repeat(1, sharing, 1)[:, None],
        local_visible=near.repeat(1, sharing, 1)[:, None],
    )
