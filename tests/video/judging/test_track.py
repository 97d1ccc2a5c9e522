"""Measured motion against scenes whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from goodput.video.judging.track import (
    background_of,
    heading_error,
    path_of,
    speed_of,
    track,
)
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.motion import positions
from goodput.video.scenes.render import render
from goodput.video.scenes.scene import STRAIGHT, Scene, Thing


@pytest.mark.parametrize(("size", "share"), [(32, 0.95), (64, 0.98)])
def test_nearly_all_things_are_found_and_their_paths_named(size: int, share: float) -> None:
    """Of a thin digit at 32 pixels little but smooth edges is left, so not quite all."""
    right = []
    for seed in range(300):
        scene = draw_scene(np.random.default_rng(seed))
        if len(scene.things) == 1:
            right.append(named(scene, size))
    assert len(right) > 150 and np.mean(right) > share


def named(scene: Scene, size: int) -> bool:
    (thing,) = scene.things
    frames = render(scene, size).frames
    found = track(frames, thing.colour, scene.background)
    if background_of(frames) != scene.background or not (found.found and found.leads):
        return False
    # The middle of what it covers is not the middle of its outline, but moves with it.
    offsets = found.centres - positions(thing, found.times)
    error = heading_error(found, thing.path)
    assert (error is not None) == (thing.path in STRAIGHT)
    return (
        bool(np.ptp(offsets, axis=0).max() < 0.05)
        and path_of(found) == thing.path
        and (thing.path == "still" or speed_of(found, thing.path) == thing.speed)
        and (error is None or error < 6)
    )


def test_heading_by_hand() -> None:
    right = Thing("square", "red", "large", "right", "fast", (0.2, 0.5))
    found = track(render(Scene((right,), "black"), 64).frames, "red", "black")
    assert heading_error(found, "right") == pytest.approx(0, abs=1)
    assert heading_error(found, "down") == pytest.approx(90, abs=1)
    assert heading_error(found, "left") == pytest.approx(180, abs=1)
    assert heading_error(found, "bounce") is None


def test_what_is_behind_another_is_not_measured() -> None:
    front = Thing("square", "blue", "large", "left", "fast", (0.8, 0.5))
    behind = Thing("square", "red", "large", "right", "fast", (0.2, 0.5))
    frames = render(Scene((behind, front), "black", crossing=True), 64).frames
    found = track(frames, "red", "black")
    assert len(found.centres) < 40 and found.found
    assert path_of(found) == "right" and speed_of(found, "right") == "fast"


def test_a_frozen_film_rests() -> None:
    thing = Thing("circle", "green", "large", "right", "fast", (0.2, 0.5))
    frames = np.repeat(render(Scene((thing,), "grey"), 64).frames[:1], 40, axis=0)
    assert path_of(track(frames, "green", "grey")) == "still"
