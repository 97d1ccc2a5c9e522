"""Scenes drawn from a random generator."""

from __future__ import annotations

from typing import Final

import numpy as np

from goodput.video.clip import FPS, FRAMES
from goodput.video.scenes.motion import DIRECTION, STRAIGHT_SPEED
from goodput.video.scenes.scene import (
    BACKGROUNDS,
    COLOURS,
    DIGITS,
    ORBITS,
    PATHS,
    RADIUS,
    SHAPES,
    SIZES,
    SPEEDS,
    STRAIGHT,
    Path,
    Scene,
    Shape,
    Size,
    Speed,
    Thing,
    held_out,
)

_DIGIT_SHARE: Final = 0.15
_PAIR_SHARE: Final = 0.3
_CROSSING_SHARE: Final = 0.3  # of the pairs
_TWIN_SHARE: Final = 0.5  # of the crossings
_ORBIT: Final = (0.24, 0.31)  # widths from the middle
_LONGEST_S: Final = FRAMES / FPS


def draw_scene(random: np.random.Generator, *, from_held_out: bool = False) -> Scene:
    """A scene to train on, or one thing of a combination that is held out of training."""
    background = BACKGROUNDS[random.integers(len(BACKGROUNDS))]
    if from_held_out:
        return Scene((_thing(random, held=True),), background)
    if random.random() >= _PAIR_SHARE:
        return Scene((_thing(random),), background)
    if random.random() < _CROSSING_SHARE:
        return Scene(_crossing(random), background, crossing=True)
    return Scene((_thing(random), _thing(random)), background)


def _thing(random: np.random.Generator, *, held: bool = False) -> Thing:
    while True:
        path = PATHS[random.integers(len(PATHS))]
        thing = _placed(random, _shape(random), path)
        if held_out(thing) == held:
            return thing


def _shape(random: np.random.Generator) -> Shape:
    of = DIGITS if random.random() < _DIGIT_SHARE else SHAPES
    return of[random.integers(len(of))]


def _placed(random: np.random.Generator, shape: Shape, path: Path) -> Thing:
    size = SIZES[random.integers(len(SIZES))]
    speed = SPEEDS[random.integers(len(SPEEDS))]
    return Thing(
        shape=shape,
        colour=COLOURS[random.integers(len(COLOURS))],
        size=size,
        path=path,
        speed=speed,
        start=_start(random, path, size, speed),
        towards=float(random.uniform(20, 70) + 90 * random.integers(4))
        if path == "bounce"
        else 0.0,
    )


def _start(
    random: np.random.Generator, path: Path, size: Size, speed: Speed
) -> tuple[float, float]:
    """Somewhere from which the whole way is inside the picture."""
    radius = RADIUS[size]
    if path in ORBITS:
        angle, away = random.uniform(0, 2 * np.pi), random.uniform(*_ORBIT)
        return float(0.5 + away * np.cos(angle)), float(0.5 + away * np.sin(angle))
    low, high = np.full(2, radius), np.full(2, 1 - radius)
    if path in STRAIGHT:
        way = np.asarray(DIRECTION[path]) * STRAIGHT_SPEED[speed] * _LONGEST_S
        low, high = low + np.maximum(0, -way), high - np.maximum(0, way)
    x, y = random.uniform(low, high)
    return float(x), float(y)


def _crossing(random: np.random.Generator) -> tuple[Thing, Thing]:
    """Two fast things that set out at opposite sides and meet in the middle of the film."""
    across = bool(random.integers(2))
    ways: tuple[Path, Path] = ("left", "right") if across else ("up", "down")
    size = SIZES[random.integers(len(SIZES))]
    line = float(random.uniform(RADIUS[size], 1 - RADIUS[size]))
    while True:
        shapes = [_shape(random)] * 2
        colours = [COLOURS[random.integers(len(COLOURS))]] * 2
        if random.random() >= _TWIN_SHARE:
            shapes[1] = _shape(random)
            colours[1] = COLOURS[random.integers(len(COLOURS))]
        things = []
        for shape, colour, path in zip(shapes, colours, ways, strict=True):
            step = np.asarray(DIRECTION[path]) * STRAIGHT_SPEED["fast"] * _LONGEST_S / 2
            middle = np.array([0.5, line] if across else [line, 0.5])
            x, y = middle - step
            things.append(Thing(shape, colour, size, path, "fast", (float(x), float(y))))
        first, second = things
        if not held_out(first) and not held_out(second):
            return first, second
