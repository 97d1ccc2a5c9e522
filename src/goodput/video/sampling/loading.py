"""From the name that somebody gives to whatever makes the films."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goodput.core.errors import UsageError
from goodput.video.sampling.order import FilmMaker

RELEASED: Final = Path(__file__).parent.parent / "released"
"""The weights that come along, a folder each."""


@dataclass(frozen=True)
class Loaded:
    """A maker, and what it is asked for when nobody says."""

    maker: FilmMaker[Any]
    size: int
    steps: int
    multiple: int
    """Of which the number of frames has to be one."""
    unknown: Callable[[str], list[str]]
    """The words of a sentence that it has never read."""


def load(model: str) -> Loaded:
    """``model`` is a name that comes along, or a folder that ``goodput film train`` left.

    Raises UsageError in one sentence when it is neither.
    """
    folder = RELEASED / model if model.isidentifier() else Path(model)
    if not (folder / "transformer.safetensors").is_file():
        names = sorted(path.name for path in RELEASED.glob("*") if path.is_dir())
        choices = " or ".join([*names, "a folder that `goodput film train` left"])
        raise UsageError(f"model must be {choices}, not {model!r}")
    from goodput.video.models.text import unknown_words
    from goodput.video.sampling.bundle import load_maker

    maker, manner = load_maker(folder)
    return Loaded(maker, manner.size, manner.steps, maker.multiple, unknown_words)
