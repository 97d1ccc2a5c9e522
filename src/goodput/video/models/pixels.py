"""Between the pixels of a clip and those of a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from goodput.video.clip import Frames


def pixels_of(frames: Frames) -> Tensor:
    """(3, frames, height, width) in [-1, 1]."""
    return torch.from_numpy(frames).permute(3, 0, 1, 2).float() / 127.5 - 1


def frames_of(pixels: Tensor) -> Frames:
    """The frames of (3, frames, height, width) in about [-1, 1]; what lies outside is cut off."""
    scaled = ((pixels + 1) * 127.5).round_().clamp_(0, 255)
    return np.ascontiguousarray(scaled.to(torch.uint8).permute(1, 2, 3, 0).numpy())
