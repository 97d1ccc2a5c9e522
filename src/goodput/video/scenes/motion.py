"""Where a thing is, and which way it goes, at any time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from goodput.video.scenes.scene import ORBITS, STRAIGHT, Path, Speed, Thing

Floats = npt.NDArray[np.float64]

DIRECTION: Final[dict[Path, tuple[float, float]]] = {
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "up": (0.0, -1.0),
    "down": (0.0, 1.0),
}
STRAIGHT_SPEED: Final[dict[Speed, float]] = {"slow": 0.06, "fast": 0.12}
"""Widths a second: even a large thing that is fast stays in the picture for five seconds."""
BOUNCE_SPEED: Final[dict[Speed, float]] = {"slow": 0.20, "fast": 0.45}
ORBIT_TURNS: Final[dict[Speed, float]] = {"slow": 0.12, "fast": 0.28}
"""Turns a second around the middle of the picture."""


def positions(thing: Thing, times: Floats) -> Floats:
    """Centres at ``times``: (times, 2), x then y."""
    start = np.asarray(thing.start)
    if thing.path in STRAIGHT:
        velocity = np.asarray(DIRECTION[thing.path]) * STRAIGHT_SPEED[thing.speed]
        return start + times[:, None] * velocity
    if thing.path in ORBITS:
        return _orbit(thing, times)
    if thing.path == "bounce":
        return _bounce(thing, times)
    return np.broadcast_to(start, (len(times), 2)).copy()


def _orbit(thing: Thing, times: Floats) -> Floats:
    middle = np.array([0.5, 0.5])
    away = np.asarray(thing.start) - middle
    # With y pointing down a growing angle is clockwise to the eye.
    turn = 1.0 if thing.path == "clockwise" else -1.0
    angles = np.arctan2(away[1], away[0]) + turn * 2 * np.pi * ORBIT_TURNS[thing.speed] * times
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centres: Floats = middle + np.hypot(*away) * ways
    return centres


def _bounce(thing: Thing, times: Floats) -> Floats:
    """Straight on in an unfolded room: a reflection is a triangle wave of the way gone."""
    angle = np.radians(thing.towards)
    velocity = BOUNCE_SPEED[thing.speed] * np.array([np.cos(angle), np.sin(angle)])
    room = 1.0 - 2 * thing.radius
    way = (np.asarray(thing.start) - thing.radius + times[:, None] * velocity) % (2 * room)
    centres: Floats = thing.radius + room - np.abs(way - room)
    return centres
