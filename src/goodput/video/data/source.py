"""Where clips to train on come from."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from goodput.video.clip import Clip
from goodput.video.scenes.captions import describe
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.render import render


class ClipSource(Protocol):
    """Clips by number, each with its sentence; the same number is always the same clip."""

    @property
    def count(self) -> int | None:
        """How many there are; None when they never end."""

    def sample(self, index: int, size: int) -> tuple[Clip, str]:
        """The clip of that number in square pictures of ``size`` pixels, and its sentence."""


class MovingShapes:
    """Scenes drawn and rendered on the fly."""

    count = None

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def sample(self, index: int, size: int) -> tuple[Clip, str]:
        """See ``ClipSource``."""
        random = np.random.default_rng([self._seed, index])
        scene = draw_scene(random)
        return render(scene, size), describe(scene, random)


class Part:
    """Some clips of another source, in the same order."""

    def __init__(self, source: ClipSource, numbers: range) -> None:
        self._source = source
        self._numbers = numbers

    @property
    def count(self) -> int:
        """See ``ClipSource``."""
        return len(self._numbers)

    def sample(self, index: int, size: int) -> tuple[Clip, str]:
        """See ``ClipSource``."""
        return self._source.sample(self._numbers[index], size)
