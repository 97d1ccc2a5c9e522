"""What a scene consists of. Lengths are in widths of the picture, y points down."""

from __future__ import annotations

import zlib
from typing import Final, Literal, get_args

import msgspec

Shape = Literal[
    "circle", "square", "triangle", "ring", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"
]
Colour = Literal["red", "green", "blue", "yellow", "purple", "white"]
Size = Literal["small", "large"]
Path = Literal["left", "right", "up", "down", "bounce", "clockwise", "counterclockwise", "still"]
Speed = Literal["slow", "fast"]
Background = Literal["black", "grey", "navy", "brown"]

SHAPES: Final[tuple[Shape, ...]] = get_args(Shape)[:4]
DIGITS: Final[tuple[Shape, ...]] = get_args(Shape)[4:]
COLOURS: Final[tuple[Colour, ...]] = get_args(Colour)
SIZES: Final[tuple[Size, ...]] = get_args(Size)
PATHS: Final[tuple[Path, ...]] = get_args(Path)
SPEEDS: Final[tuple[Speed, ...]] = get_args(Speed)
BACKGROUNDS: Final[tuple[Background, ...]] = get_args(Background)

STRAIGHT: Final[tuple[Path, ...]] = ("left", "right", "up", "down")
ORBITS: Final[tuple[Path, ...]] = ("clockwise", "counterclockwise")

RADIUS: Final[dict[Size, float]] = {"small": 0.10, "large": 0.17}
"""Half a thing's height."""

_HELD_OUT_ONE_IN: Final = 10


class Thing(msgspec.Struct, frozen=True):
    """One thing and where it goes.

    ``start`` is its centre at time 0. ``towards`` is the angle in degrees (0 is right, 90 is down)
    in which a bouncing thing sets out; a thing on any other path does not need it.
    """

    shape: Shape
    colour: Colour
    size: Size
    path: Path
    speed: Speed
    start: tuple[float, float]
    towards: float = 0.0

    @property
    def radius(self) -> float:
        """Half its height."""
        return RADIUS[self.size]


class Scene(msgspec.Struct, frozen=True):
    """Up to two things before a background; the later one is in front.

    ``crossing`` says that two things meet halfway, on straight paths against each other.
    """

    things: tuple[Thing, ...]
    background: Background
    crossing: bool = False


def held_out(thing: Thing) -> bool:
    """Whether this combination of shape, colour and path is kept out of training: one in ten is.

    A checksum decides, so that every machine and every version keeps the same ones.
    """
    combination = f"{thing.shape} {thing.colour} {thing.path}".encode()
    return zlib.crc32(combination) % _HELD_OUT_ONE_IN == 0
