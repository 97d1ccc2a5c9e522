"""What a thing looks like: a small network over a picture in which it is in the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from goodput.video.clip import FPS
from goodput.video.judging.track import Track
from goodput.video.models.files import config_in, fill, read_tensors, write_network
from goodput.video.scenes.scene import DIGITS, SHAPES, SIZES, Shape, Size

KINDS: Final[tuple[tuple[Shape, Size], ...]] = tuple(
    (shape, size) for shape in SHAPES + DIGITS for size in SIZES
)
SIDE: Final = 32
"""Pixels of the picture, half the width of a film: the largest thing fits."""


class LookConfig(msgspec.Struct, frozen=True):
    """Its size."""

    width: int = 24


class Look(nn.Module):
    """Shape and size of what is in the middle. Its last layer but one are the features."""

    def __init__(self, config: LookConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1)
            for before, after in ((1, width), (width, 2 * width), (2 * width, 4 * width))
        )
        self.inner = nn.Linear(4 * width * 16, 128)
        self.last = nn.Linear(128, len(KINDS))

    def features(self, pictures: Tensor) -> Tensor:
        """(pictures, 128) of (pictures, 1, 32, 32), shares of each pixel that the thing covers."""
        x = pictures
        for layer in self.layers:
            x = silu(layer(x))
        out: Tensor = silu(self.inner(x.flatten(1)))
        return out

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits over ``KINDS``."""
        logits: Tensor = self.last(self.features(pictures))
        return logits


def centred(found: Track) -> Tensor:
    """The thing's mean outline, in the middle of (32, 32) pixels of a film 64 wide.

    Whole pixels are moved, each frame by its own centre: fractions of them average out into what
    the thing covers of each pixel.
    """
    size = found.masks.shape[1]
    frames = np.round(found.times * FPS).astype(int)
    scale = 64 // size
    total = np.zeros((SIDE, SIDE), np.float32)
    for frame, (x, y) in zip(frames, found.centres, strict=True):
        mask = np.kron(found.masks[frame], np.ones((scale, scale), np.float32))
        padded = np.pad(mask, SIDE)
        left, top = round(x * 64) + SIDE // 2, round(y * 64) + SIDE // 2
        total += padded[top : top + SIDE, left : left + SIDE]
    return torch.from_numpy(total / max(1, len(frames)))


@torch.no_grad()
def look_of(network: Look, found: Track) -> tuple[Shape, Size]:
    """What the thing is most likely."""
    return KINDS[int(network(centred(found)[None, None]).argmax())]


def write_look(path: Path, network: Look) -> None:
    """Write the network, whole or not at all."""
    write_network(path, network, network.config)


def read_look(path: Path) -> Look:
    """The network at ``path``. Raises UsageError that names the file."""
    tensors, facts = read_tensors(path)
    network = Look(config_in(facts, LookConfig, path))
    fill(network, tensors, path)
    return network.eval().requires_grad_(False)
