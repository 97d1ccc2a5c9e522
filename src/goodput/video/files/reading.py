"""Videos that others made, as clips of our size and rate."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from goodput.core.errors import UsageError
from goodput.video.clip import FPS, Clip
from goodput.video.files.encoder import pyav

_LARGEST_SIDE: Final = 4096
_MOST_DECODED: Final = 20_000


def read_video(path: Path, size: int, frames: int) -> Clip:
    """The first ``frames`` frames at our rate, of the largest square in the middle.

    Frames are taken at the times that are wanted; one that lasts is taken again. Raises UsageError
    that names the file when it is no video, too large, or shorter than that.
    """
    av = pyav()
    wanted = [number / FPS for number in range(frames)]
    pictures: list[object] = []
    try:
        with av.open(str(path)) as file:
            if not file.streams.video:
                raise UsageError(f"{path} has no pictures")
            stream = file.streams.video[0]
            if max(stream.width, stream.height) > _LARGEST_SIDE:
                raise UsageError(f"{path} is larger than {_LARGEST_SIDE} pixels")
            lasts = 1 / float(stream.average_rate or FPS)
            begin = None
            for number, frame in enumerate(file.decode(stream)):
                if number == _MOST_DECODED or len(pictures) == frames:
                    break
                at = frame.time if frame.time is not None else number * lasts
                begin = at if begin is None else begin
                picture = None
                while len(pictures) < frames and wanted[len(pictures)] < at - begin + lasts - 1e-6:
                    picture = _square(frame, size) if picture is None else picture
                    pictures.append(picture)
    except (av.FFmpegError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(pictures) < frames:
        lacking = f"{len(pictures) / FPS:g} of {frames / FPS:g} seconds"
        raise UsageError(f"{path} is too short: {lacking}")
    return Clip(np.stack(pictures))  # type: ignore[arg-type]


def _square(frame: object, size: int) -> object:
    """The middle of a decoded frame, averaged down to ``size`` pixels."""
    from PIL import Image

    image: Image.Image = frame.to_image()  # type: ignore[attr-defined]
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    middle = image.crop((left, top, left + side, top + side))
    return np.asarray(middle.resize((size, size), Image.Resampling.BOX), np.uint8)
