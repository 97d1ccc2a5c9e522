"""A film beside the scene that its sentence described, attribute by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from goodput.core.percentiles import wilson_interval
from goodput.video.clip import Clip, Frames
from goodput.video.judging.look import Look, look_of
from goodput.video.judging.track import (
    Track,
    background_of,
    heading_error,
    path_of,
    speed_of,
    track,
)
from goodput.video.scenes.scene import Background, Scene, Thing


class Verdict(msgspec.Struct, frozen=True):
    """Which attributes a film got right, all of its things together; ``heading_error`` is the
    largest of its things' in degrees, None where nothing goes straight."""

    background: bool
    colour: bool
    shape: bool
    size: bool
    path: bool
    speed: bool
    heading_error: float | None = None

    @property
    def all_right(self) -> bool:
        """Whether the film shows what was asked."""
        return all(getattr(self, name) for name in ATTRIBUTES)


ATTRIBUTES: Final = ("background", "colour", "shape", "size", "path", "speed")
_ABSENT: Final = Verdict(True, False, False, False, False, False)
_LEAST_SHARE: Final = 0.02
"""Of what is not ground; a small digit beside a large square has no more."""


def judge(network: Look, clip: Clip, scene: Scene) -> Verdict:
    """Judge ``clip`` by ``scene``.

    Two things of one colour cannot be told apart by it: of those only the ground, the colour and
    whether something moves is judged, and the rest counts as right if there are two of them.
    """
    frames = clip.frames
    ground = background_of(frames)
    colours = [thing.colour for thing in scene.things]
    if len(set(colours)) < len(colours):
        return _twins(frames, scene, ground)
    tracks = [track(frames, colour, ground) for colour in colours]
    alone = len(tracks) == 1
    verdicts = [
        _one(network, found, thing)
        if found.share >= _LEAST_SHARE and (found.leads or not alone)
        else _ABSENT
        for found, thing in zip(tracks, scene.things, strict=True)
    ]
    errors = [x.heading_error for x in verdicts if x.heading_error is not None]
    right = {name: all(getattr(x, name) for x in verdicts) for name in ATTRIBUTES[1:]}
    return Verdict(
        background=ground == scene.background,
        heading_error=max(errors, default=None),
        **right,
    )


def _one(network: Look, found: Track, thing: Thing) -> Verdict:
    if not found.found:
        return _ABSENT
    shape, size = look_of(network, found)
    path = path_of(found)
    return Verdict(
        background=True,
        colour=True,
        shape=shape == thing.shape,
        size=size == thing.size,
        path=path == thing.path,
        # On a wrong path there is no right speed; at rest there is none to see.
        speed=path == thing.path
        and (thing.path == "still" or speed_of(found, path) == thing.speed),
        heading_error=heading_error(found, thing.path),
    )


def _twins(frames: Frames, scene: Scene, ground: Background) -> Verdict:
    masks = track(frames, scene.things[0].colour, ground).masks
    areas = masks.mean((1, 2))
    there = bool((areas > 0).mean() > 0.9)
    # Twins that cross cover less of the picture when they meet.
    two = there and (not scene.crossing or bool(areas.min() < 0.8 * np.median(areas)))
    return Verdict(ground == scene.background, there, two, two, two, two)


class Adherence(msgspec.Struct, frozen=True):
    """Shares of some films, with 95 % intervals (Wilson) of the last."""

    films: int
    attributes: dict[str, float]
    all_right: float
    interval: tuple[float, float]
    median_heading_error: float | None


def adherence(verdicts: Sequence[Verdict]) -> Adherence:
    """Sum up; there must be one verdict at least."""
    right = sum(verdict.all_right for verdict in verdicts)
    errors = [x.heading_error for x in verdicts if x.heading_error is not None]
    shares = {name: float(np.mean([getattr(x, name) for x in verdicts])) for name in ATTRIBUTES}
    return Adherence(
        films=len(verdicts),
        attributes=shares,
        all_right=right / len(verdicts),
        interval=wilson_interval(right, len(verdicts)),
        median_heading_error=float(np.median(errors)) if errors else None,
    )
