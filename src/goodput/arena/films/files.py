"""A film as a GIF, which every page shows, or as an mp4, which is small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from goodput.arena.episode.record import Episode
from goodput.arena.films.frames import FRAME_RATE, film
from goodput.arena.games.rules import Picture, Rules
from goodput.core.errors import UsageError
from goodput.core.files import atomic_path

_COLOURS: Final = 64


def write_film(path: Path, rules: Rules[Any], episode: Episode) -> None:
    """Write the episode to ``path``, a ``.gif`` or an ``.mp4``, whole or not at all.

    Raises UsageError for another ending, or when what the format needs is not installed.
    """
    pictures = film(rules, episode)
    try:
        with atomic_path(path) as temporary:
            if path.suffix == ".gif":
                _write_gif(temporary, pictures)
            elif path.suffix == ".mp4":
                _write_mp4(temporary, pictures)
            else:
                raise UsageError(f"a film is a .gif or an .mp4, not {path.name}")
    except ImportError:
        raise UsageError(
            f"{path.name} needs the extra 'arena': pip install 'goodput[arena]'"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def _write_gif(path: Path, pictures: Iterator[Picture]) -> None:
    from PIL import Image

    images, durations = [], []
    for picture, count in _runs(pictures):
        images.append(Image.fromarray(picture).quantize(_COLOURS, dither=Image.Dither.NONE))
        durations.append(round(1000 * count / FRAME_RATE))
    first, *rest = images
    first.save(
        path, "GIF", save_all=True, append_images=rest, duration=durations, loop=0, optimize=True
    )


def _write_mp4(path: Path, pictures: Iterator[Picture]) -> None:
    from imageio_ffmpeg import write_frames

    first = _even(next(pictures))
    size = (first.shape[1], first.shape[0])
    # The moving index at the front lets a browser begin before it has all.
    writer = write_frames(
        str(path),
        size,
        fps=FRAME_RATE,
        macro_block_size=1,
        output_params=["-f", "mp4", "-movflags", "+faststart", "-preset", "fast"],
        ffmpeg_log_level="error",
    )
    writer.send(None)
    writer.send(first)
    for picture in pictures:
        writer.send(_even(picture))
    writer.close()


def _runs(pictures: Iterable[Picture]) -> Iterator[tuple[Picture, int]]:
    """Each picture with how often it comes in a row."""
    before: Picture | None = None
    count = 0
    for picture in pictures:
        if before is not None and (picture is before or np.array_equal(picture, before)):
            count += 1
            continue
        if before is not None:
            yield before, count
        before, count = picture, 1
    if before is not None:
        yield before, count


def _even(picture: Picture) -> Picture:
    """The picture with even sides, as the format wants: the last row or column is repeated."""
    high, wide = picture.shape[0] % 2, picture.shape[1] % 2
    if not (high or wide):
        return np.ascontiguousarray(picture)
    return np.pad(picture, ((0, high), (0, wide), (0, 0)), mode="edge")
