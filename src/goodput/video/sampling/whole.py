"""Films made to their end, side by side, for whoever does not watch them being made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from goodput.video.clip import Frames
from goodput.video.sampling.order import FilmMaker, Order


def make_whole(maker: FilmMaker[Any], orders: Sequence[Order]) -> list[Frames]:
    """All frames of each order. Raises InvalidRequestError as ``maker.begin`` does."""
    films = [maker.begin(order) for order in orders]
    parts: list[list[Frames]] = [[] for _ in films]
    while going := [number for number, film in enumerate(films) if film.steps_left]:
        shown = maker.denoise([films[number] for number in going])
        for number, frames in zip(going, shown, strict=True):
            parts[number] += [] if frames is None else [frames]
    return [np.concatenate(some) for some in parts]
