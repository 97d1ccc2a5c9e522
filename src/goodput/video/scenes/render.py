"""Scenes as pictures: each thing is a signed distance, smoothed over one pixel at its edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from goodput.video.clip import FPS, FRAMES, Clip, Frames
from goodput.video.scenes.motion import Floats, positions
from goodput.video.scenes.scene import Background, Colour, Scene, Shape, Thing

Distances = npt.NDArray[np.float32]
"""Of each pixel from a thing's edge, negative inside: (frames, height, width), in its radii."""

RGB: Final[dict[Colour | Background, tuple[int, int, int]]] = {
    "red": (225, 45, 45),
    "green": (50, 190, 75),
    "blue": (70, 120, 255),
    "yellow": (245, 215, 50),
    "purple": (190, 75, 220),
    "white": (245, 245, 245),
    "black": (8, 8, 8),
    "grey": (105, 105, 105),
    "navy": (12, 22, 85),
    "brown": (85, 52, 24),
}


def render(scene: Scene, size: int, *, frames: int = FRAMES, fps: float = FPS) -> Clip:
    """The scene as a clip of ``frames`` square pictures of ``size`` pixels."""
    times = np.arange(frames) / fps
    pictures = np.empty((frames, size, size, 3), np.uint8)
    pictures[:] = RGB[scene.background]
    for thing in scene.things:
        _paint(pictures, thing, positions(thing, times) * size)
    return Clip(pictures, fps)


def _paint(pictures: Frames, thing: Thing, centres: Floats) -> None:
    """Paint a thing over ``pictures``, only in the window of pixels that it can touch."""
    size = pictures.shape[1]
    radius = thing.radius * size
    half = int(np.ceil(radius)) + 1
    window = np.arange(-half, half + 1)
    columns = np.floor(centres[:, :1]).astype(np.int64) + window
    rows = np.floor(centres[:, 1:]).astype(np.int64) + window
    x = ((columns + 0.5 - centres[:, :1]) / radius).astype(np.float32)[:, None, :]
    y = ((rows + 0.5 - centres[:, 1:]) / radius).astype(np.float32)[:, :, None]
    inside = np.clip(0.5 - _distance(thing.shape, x, y) * np.float32(radius), 0, 1)
    seen = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None]
    frame, row, column = np.nonzero(seen & (inside > 0))
    place = frame, rows[frame, row], columns[frame, column]
    share = inside[frame, row, column][:, None]
    behind = pictures[place].astype(np.float32)
    painted = behind + share * (np.array(RGB[thing.colour], np.float32) - behind)
    pictures[place] = np.rint(painted).astype(np.uint8)


def _distance(shape: Shape, x: Distances, y: Distances) -> Distances:
    outline = _OUTLINES.get(shape)
    return outline(x, y) if outline else _digit(int(shape), x, y)


def _circle(x: Distances, y: Distances) -> Distances:
    return np.hypot(x, y) - 1


def _square(x: Distances, y: Distances) -> Distances:
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.86)


def _triangle(x: Distances, y: Distances) -> Distances:
    """Its point up; the sides are three half-planes."""
    slope = (np.float32(0.894) * np.abs(x) - np.float32(0.447) * y) - np.float32(0.42)
    outline: Distances = np.maximum(slope, y - np.float32(0.9))
    return outline


def _ring(x: Distances, y: Distances) -> Distances:
    return np.abs(np.hypot(x, y) - np.float32(0.72)) - np.float32(0.26)


_OUTLINES: Final[dict[Shape, Callable[[Distances, Distances], Distances]]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "ring": _ring,
}

_SEGMENTS: Final = {
    # name: middle x, y, half width, half height, in radii
    "top": (0.0, -0.82, 0.6, 0.18),
    "middle": (0.0, 0.0, 0.6, 0.15),
    "bottom": (0.0, 0.82, 0.6, 0.18),
    "upper left": (-0.45, -0.45, 0.17, 0.55),
    "upper right": (0.45, -0.45, 0.17, 0.55),
    "lower left": (-0.45, 0.45, 0.17, 0.55),
    "lower right": (0.45, 0.45, 0.17, 0.55),
}
_LIT: Final = (
    ("top", "bottom", "upper left", "upper right", "lower left", "lower right"),
    ("upper right", "lower right"),
    ("top", "upper right", "middle", "lower left", "bottom"),
    ("top", "upper right", "middle", "lower right", "bottom"),
    ("upper left", "upper right", "middle", "lower right"),
    ("top", "upper left", "middle", "lower right", "bottom"),
    ("top", "upper left", "middle", "lower left", "lower right", "bottom"),
    ("top", "upper right", "lower right"),
    ("top", "middle", "bottom", "upper left", "upper right", "lower left", "lower right"),
    ("top", "middle", "bottom", "upper left", "upper right", "lower right"),
)


def _digit(digit: int, x: Distances, y: Distances) -> Distances:
    """Seven segments, as on a pocket calculator."""
    nearest: Distances | None = None
    for name in _LIT[digit]:
        middle_x, middle_y, half_width, half_height = map(np.float32, _SEGMENTS[name])
        box = np.maximum(np.abs(x - middle_x) - half_width, np.abs(y - middle_y) - half_height)
        nearest = box if nearest is None else np.minimum(nearest, box)
    if nearest is None:
        raise ValueError(f"{digit} has no segments")
    return nearest
