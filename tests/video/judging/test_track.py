"""Measured motion against scenes whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

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
from goodput.video.scenes.scene import COLOURS, STRAIGHT, Scene, Thing


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([32, 64]))
def test_one_thing_is_found_and_its_path_named(seed: int, size: int) -> None:
    scene = draw_scene(np.random.default_rng(seed))
    assume(len(scene.things) == 1)
    (thing,) = scene.things
    frames = render(scene, size).frames
    assert background_of(frames) == scene.background
    found = track(frames, thing.colour, scene.background)
    assert found.found
    truth = positions(thing, found.times)
    # The middle of what it covers is not the middle of its outline, but moves with it.
    offsets = found.centres - truth
    assert np.ptp(offsets, axis=0).max() < 0.05
    assert path_of(found) == thing.path
    if thing.path != "still":
        assert speed_of(found, thing.path) == thing.speed
    error = heading_error(found, thing.path)
    assert (error is not None) == (thing.path in STRAIGHT)
    assert error is None or error < 6
    others = [colour for colour in COLOURS if colour != thing.colour]
    assert found.leads
    assert not any(track(frames, colour, scene.background).leads for colour in others)


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
