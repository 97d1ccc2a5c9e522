"""A film in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FPS: Final = 8
"""Frames a second of everything that is made here."""

FRAMES: Final = 40
"""Of a whole film: five seconds."""

Frames = npt.NDArray[np.uint8]
"""Pictures in a row: (frames, height, width, 3), red, green, blue."""


@dataclass(frozen=True)
class Clip:
    """Frames and how fast they are shown. Whoever holds one must not write into ``frames``."""

    frames: Frames
    fps: float = FPS

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or self.frames.dtype != np.uint8:
            raise ValueError(f"frames are uint8 (n, h, w, 3), not {self.frames.shape}")

    @property
    def seconds(self) -> float:
        """How long it takes to watch."""
        return len(self.frames) / self.fps
