"""A film as a GIF, which every page shows."""

from __future__ import annotations

from pathlib import Path

from goodput.core.errors import UsageError
from goodput.core.files import atomic_path
from goodput.video.clip import Clip


def write_gif(path: Path, clip: Clip) -> None:
    """Write ``clip`` to ``path``, again and again from its beginning; whole or not at all.

    Raises UsageError when the file cannot be written.
    """
    from PIL import Image

    first, *rest = [
        Image.fromarray(picture).quantize(64, dither=Image.Dither.NONE) for picture in clip.frames
    ]
    try:
        with atomic_path(path) as temporary:
            first.save(
                temporary,
                "GIF",
                save_all=True,
                append_images=rest,
                duration=round(1000 / clip.fps),
                loop=0,
            )
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
