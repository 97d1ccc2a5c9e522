"""Frames to H.264, one packet a frame, with nothing held back."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from goodput.core.errors import UsageError
from goodput.video.clip import Frames

if TYPE_CHECKING:
    from types import ModuleType

CODEC: Final = "libx264"
PIXELS: Final = "yuv420p"
QUALITY: Final = {"preset": "veryfast", "crf": "14"}
"""Small pictures show every artefact, and cost little."""


def pyav() -> ModuleType:
    """PyAV. Raises UsageError when it is not installed."""
    try:
        import av
    except ImportError:
        raise UsageError("videos need the extra 'film': pip install 'goodput[film]'") from None
    return av


def even(frames: Frames) -> Frames:
    """Frames with even sides, as the format wants: a last row or column is repeated."""
    high, wide = frames.shape[1] % 2, frames.shape[2] % 2
    if not (high or wide):
        return np.ascontiguousarray(frames)
    return np.pad(frames, ((0, 0), (0, high), (0, wide), (0, 0)), mode="edge")


def rate_of(fps: float) -> Fraction:
    """The rate as the fraction that the format stores."""
    return Fraction(fps).limit_denominator(1001)


class Encoder:
    """Packets of one film whose pictures are (height, width), at ``fps``."""

    def __init__(self, height: int, width: int, fps: float) -> None:
        av = pyav()
        rate = rate_of(fps)
        context = av.CodecContext.create(CODEC, "w")
        context.width, context.height = width, height
        context.pix_fmt = PIXELS
        context.time_base, context.framerate = 1 / rate, rate
        context.options = {**QUALITY, "tune": "zerolatency"}
        context.flags |= av.codec.context.Flags.global_header
        context.open()
        self.rate = rate
        self.header = bytes(context.extradata)
        """The parameter sets, with start codes."""
        self._av = av
        self._context: Any = context
        self._count = 0

    def packets(self, frames: Frames) -> Iterator[Any]:
        """A packet for each of ``frames``."""
        for picture in frames:
            frame = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = self._count
            self._count += 1
            yield from self._context.encode(frame)
