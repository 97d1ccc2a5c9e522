"""Films on one picture: a row of evenly chosen frames for each, with its sentence below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from goodput.core.errors import UsageError
from goodput.core.files import atomic_path
from goodput.video.clip import Clip

_PICTURE: Final = 96
"""Pixels of each side on the sheet."""
_GAP: Final = 4
_LINE: Final = 16


def write_sheet(
    path: Path, clips: Sequence[Clip], sentences: Sequence[str], *, pictures: int = 8
) -> None:
    """Write a PNG with ``pictures`` frames of each clip; whole or not at all.

    Raises UsageError when the file cannot be written.
    """
    from PIL import Image, ImageDraw

    step, row = _PICTURE + _GAP, _PICTURE + _GAP + _LINE
    sheet = Image.new("RGB", (_GAP + pictures * step, _GAP + len(clips) * row), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (clip, sentence) in enumerate(zip(clips, sentences, strict=True)):
        top = _GAP + number * row
        chosen = np.linspace(0, len(clip.frames) - 1, pictures).round().astype(int)
        for place, frame in enumerate(chosen):
            picture = Image.fromarray(clip.frames[frame])
            picture = picture.resize((_PICTURE, _PICTURE), Image.Resampling.NEAREST)
            sheet.paste(picture, (_GAP + place * step, top))
        draw.text((_GAP, top + _PICTURE + 1), sentence, fill="black")
    try:
        with atomic_path(path) as temporary:
            sheet.save(temporary, "PNG")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
