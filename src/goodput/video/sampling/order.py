"""What is ordered, and what whoever makes films can do: the border between sampling and serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from goodput.video.clip import FRAMES, Frames


@dataclass(frozen=True)
class Order:
    """One film that somebody asked for."""

    prompt: str
    seed: int = 0
    size: int = 64
    """Pixels of each side."""
    frames: int = FRAMES
    steps: int = 4
    """Denoising steps of each chunk."""


class Film(Protocol):
    """A film in the making. Its chunks are made one after the other, ``steps`` steps each."""

    @property
    def order(self) -> Order:
        """What was asked for."""

    @property
    def steps(self) -> int:
        """Denoising steps of each chunk that has not begun yet; whoever schedules may change it."""

    @steps.setter
    def steps(self, steps: int) -> None: ...

    @property
    def steps_left(self) -> int:
        """Calls of ``denoise`` until the film is whole, 0 when it is."""


AnyFilm = TypeVar("AnyFilm", bound=Film)


class FilmMaker(Protocol[AnyFilm]):
    """A loaded model. It takes its own films only, and is not safe for several threads."""

    @property
    def name(self) -> str:
        """What it is called in answers and reports."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """The time that each stage took so far, all films together."""

    def begin(self, order: Order) -> AnyFilm:
        """Read the sentence and draw the noise.

        Raises InvalidRequestError (``core/errors.py``) with the field's name for what it cannot
        make: a size, a length or a number of steps.
        """

    def denoise(self, films: Sequence[AnyFilm]) -> list[Frames | None]:
        """Take each film one step further, all in one pass, wherever each of them is.

        Returns for each the frames that this step finished, or None. What a film becomes does not
        depend on its company. The films must have steps left.
        """
