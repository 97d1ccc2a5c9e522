"""A whole film as an mp4 that every browser plays and seeks in."""

from __future__ import annotations

from pathlib import Path

from goodput.core.errors import UsageError
from goodput.core.files import atomic_path
from goodput.video.clip import Clip
from goodput.video.files.encoder import CODEC, PIXELS, QUALITY, even, pyav, rate_of


def write_mp4(path: Path, clip: Clip) -> None:
    """Write ``clip`` to ``path``, whole or not at all.

    Raises UsageError when the file cannot be written or what the format needs is not installed.
    """
    av = pyav()
    frames = even(clip.frames)
    try:
        with atomic_path(path) as temporary:
            # The index in front lets a browser begin before it has all.
            flags = {"movflags": "faststart"}
            with av.open(str(temporary), "w", format="mp4", options=flags) as file:
                stream = file.add_stream(CODEC, rate=rate_of(clip.fps), options=dict(QUALITY))
                stream.height, stream.width = frames.shape[1:3]
                stream.pix_fmt = PIXELS
                for picture in frames:
                    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    file.mux(stream.encode(frame))
                file.mux(stream.encode(None))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
