"""Where a thing of a known colour is in each frame of a film, and what path that is.

Lengths are in widths of the picture, y points down, as in ``scenes/scene.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from goodput.video.clip import FPS, Frames
from goodput.video.scenes.motion import BOUNCE_SPEED, DIRECTION, ORBIT_TURNS, STRAIGHT_SPEED, Floats
from goodput.video.scenes.render import RGB
from goodput.video.scenes.scene import BACKGROUNDS, COLOURS, ORBITS, Background, Colour, Path, Speed

Mask = npt.NDArray[np.bool_]

_LEAST_AREA: Final = 0.002
"""Of the picture: two pixels of 32 by 32, where a small digit 1 covers three."""
_WHOLE: Final = 0.6
"""Of its usual area: below, something is in front of it."""
_LEAST_SEEN: Final = 0.5
"""Share of the frames in which it has to be there."""
_STILL_WITHIN: Final = 0.06
_STRAIGHT_WITHIN: Final = 0.02
_STEADINESS: Final = 0.97
_HEADING_WITHIN: Final = 18.0
"""Degrees; what bounces sets out 20 degrees from the axes at least."""
_LEAST_SWEEP: Final = 1.5  # radians
_ROUNDNESS: Final = 0.06


@dataclass(frozen=True)
class Track:
    """Centres (seen frames, 2) and their times in seconds; masks of all frames; the share that the
    colour has of all that is not ground, and whether no other colour has more: the smooth edges of
    another colour have some, too."""

    centres: Floats
    times: Floats
    masks: Mask
    share: float
    leads: bool

    @property
    def found(self) -> bool:
        """Whether it was there most of the time."""
        return len(self.centres) >= _LEAST_SEEN * len(self.masks)


def background_of(frames: Frames) -> Background:
    """The ground that most pixels are nearest to."""
    usual = np.median(frames.reshape(-1, 3), axis=0)
    return min(BACKGROUNDS, key=lambda name: np.abs(usual - RGB[name]).sum())


def track(frames: Frames, colour: Colour, background: Background) -> Track:
    """Follow the pixels that are nearer to ``colour`` than to any other and to the ground."""
    pixels = frames.astype(np.float32)
    palette = np.array([RGB[name] for name in (*COLOURS, background)], np.float32)
    nearest = np.square(pixels[..., None, :] - palette).sum(-1).argmin(-1)
    masks: Mask = nearest == COLOURS.index(colour)
    areas = masks.mean((1, 2))
    there = areas >= _LEAST_AREA
    if there.any():
        there &= areas >= _WHOLE * np.median(areas[there])
    size = frames.shape[1]
    middles = (np.arange(size) + 0.5) / size
    weights = masks[there] / np.maximum(masks[there].sum((1, 2), keepdims=True), 1)
    x = (weights.sum(1) * middles).sum(1)
    y = (weights.sum(2) * middles).sum(1)
    counts = np.bincount(nearest.ravel(), minlength=len(COLOURS) + 1)[:-1]
    own = counts[COLOURS.index(colour)]
    return Track(
        centres=np.stack([x, y], axis=1),
        times=np.nonzero(there)[0] / FPS,
        masks=masks,
        share=float(own / max(1, counts.sum())),
        leads=bool(own == counts.max()),
    )


def path_of(found: Track) -> Path:
    """Which of the paths it is."""
    centres = found.centres
    if np.ptp(centres, axis=0).max() < _STILL_WITHIN:
        return "still"
    net = centres[-1] - centres[0]
    along = net / max(float(np.hypot(*net)), 1e-9)
    across = (centres - centres.mean(0)) @ np.array([-along[1], along[0]])
    steady = np.corrcoef((centres - centres[0]) @ along, found.times)[0, 1]
    heading = float(np.degrees(np.arctan2(net[1], net[0])))
    quarters = round(heading / 90)
    direct = abs(heading - 90 * quarters) < _HEADING_WITHIN
    if direct and across.std() < _STRAIGHT_WITHIN and steady > _STEADINESS:
        straight: tuple[Path, ...] = ("right", "down", "left", "up")
        return straight[quarters % 4]
    middle, radius = _circle(centres)
    residual = np.hypot(*(centres - middle).T) - radius
    sweep = _sweep(centres, middle)
    if residual.std() < _ROUNDNESS * radius and abs(sweep) > _LEAST_SWEEP:
        return "clockwise" if sweep > 0 else "counterclockwise"
    return "bounce"


def speed_of(found: Track, path: Path) -> Speed:
    """Whether it is nearer to slow or to fast, on that path; "slow" where it rests."""
    lasted = found.times[-1] - found.times[0]
    if path == "still" or not lasted:
        return "slow"
    centres = found.centres
    if path in ORBITS:
        measured = abs(_sweep(centres, _circle(centres)[0])) / (2 * np.pi) / lasted
        table = ORBIT_TURNS
    elif path == "bounce":
        measured, table = float(np.hypot(*np.diff(centres, axis=0).T).sum()) / lasted, BOUNCE_SPEED
    else:
        measured, table = float(np.hypot(*(centres[-1] - centres[0]))) / lasted, STRAIGHT_SPEED
    # Between the two, as far from each in ratio.
    return "fast" if measured > np.sqrt(table["slow"] * table["fast"]) else "slow"


def heading_error(found: Track, path: Path) -> float | None:
    """Degrees between where a straight path leads and where the thing went; None for others."""
    if path not in DIRECTION or len(found.centres) < 2:
        return None
    (x, y), (along_x, along_y) = found.centres[-1] - found.centres[0], DIRECTION[path]
    turned = np.arctan2(y, x) - np.arctan2(along_y, along_x)
    return float(abs((np.degrees(turned) + 180) % 360 - 180))


def _circle(centres: Floats) -> tuple[Floats, float]:
    """Middle and radius of the circle that fits best (Kåsa's least squares, 1976).

    A thing whose outline is not round its centre moves on a shifted circle.
    """
    x, y = centres.T
    columns = np.stack([x, y, np.ones_like(x)], axis=1)
    (a, b, c), *_ = np.linalg.lstsq(columns, x * x + y * y, rcond=None)
    return np.array([a / 2, b / 2]), float(np.sqrt(max(c + (a * a + b * b) / 4, 0.0)))


def _sweep(centres: Floats, middle: Floats) -> float:
    """Radians around ``middle``; positive is clockwise."""
    away = centres - middle
    angles = np.unwrap(np.arctan2(away[:, 1], away[:, 0]))
    return float(angles[-1] - angles[0])
