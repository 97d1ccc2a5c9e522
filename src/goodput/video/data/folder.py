"""A folder of videos with their sentences, as FastVideo takes it.

``videos2caption.json`` is a list of ``{"path": NAME, "cap": TEXT or [TEXT, …]}``, and ``videos/``
has the files. What is odd is skipped and named in ``skipped``, so that one bad file of a thousand
does not stop a run, and nobody trains on fewer films than they think.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from goodput.core.errors import UsageError
from goodput.video.clip import FRAMES, Clip
from goodput.video.files.reading import read_video

_LARGEST_INDEX: Final = 64 << 20
_PROBED: Final = 16
"""Pixels of the pictures that a video is tried with."""


class _Entry(msgspec.Struct, frozen=True):
    path: str
    cap: str | list[str]

    @property
    def sentence(self) -> str:
        """The first one; empty when there is none."""
        return self.cap if isinstance(self.cap, str) else next(iter(self.cap), "")


class VideoFolder:
    """The films of a folder that can be read, each with its first sentence.

    Raises UsageError when the folder has no readable list, or no film that could be trained on.
    """

    def __init__(self, folder: Path) -> None:
        self.skipped: list[str] = []
        """Why what was left out was left out, a sentence each."""
        self._films: list[tuple[Path, str]] = []
        videos, listed = folder / "videos", set()
        for entry in _entries(folder / "videos2caption.json"):
            path = videos / entry.path
            listed.add(path.name)
            reason = _unfit(path, videos, entry)
            if reason is None:
                self._films.append(
                    (path, entry.cap if isinstance(entry.cap, str) else entry.cap[0])
                )
            else:
                self.skipped.append(reason)
        present = sorted(videos.iterdir()) if videos.is_dir() else []
        self.skipped += [f"{x.name} has no caption" for x in present if x.name not in listed]
        if not self._films:
            first = f": {self.skipped[0]}" if self.skipped else ""
            raise UsageError(f"{folder} has no film to train on{first}")

    @property
    def count(self) -> int:
        """See ``source.ClipSource``."""
        return len(self._films)

    def sample(self, index: int, size: int) -> tuple[Clip, str]:
        """See ``source.ClipSource``."""
        path, sentence = self._films[index]
        return _read(path, size), sentence


@lru_cache(maxsize=64)
def _read(path: Path, size: int) -> Clip:
    return read_video(path, size, FRAMES)


def _entries(path: Path) -> list[_Entry]:
    try:
        if path.stat().st_size > _LARGEST_INDEX:
            raise UsageError(f"{path} is larger than {_LARGEST_INDEX >> 20} MiB")
        return msgspec.json.decode(path.read_bytes(), type=list[_Entry])
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def _unfit(path: Path, videos: Path, entry: _Entry) -> str | None:
    """Why a listed film cannot be used; None if it can."""
    if not path.resolve().is_relative_to(videos.resolve()):
        return f"{entry.path} lies outside {videos.name}"
    if not path.is_file():
        return f"{entry.path} has a caption, but there is no such video"
    if not entry.sentence.strip():
        return f"{entry.path} has an empty caption"
    try:
        read_video(path, _PROBED, FRAMES)
    except UsageError as error:
        return error.message
    return None
