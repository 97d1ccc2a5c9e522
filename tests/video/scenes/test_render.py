"""Pictures show what the scene says, where it says it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.video.clip import FPS, Clip
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.motion import positions
from goodput.video.scenes.render import RGB, render
from goodput.video.scenes.scene import DIGITS, SHAPES, Scene, Shape, Thing


def still(shape: Shape, start: tuple[float, float] = (0.5, 0.5)) -> Scene:
    return Scene((Thing(shape, "white", "large", "still", "slow", start),), "black")


def drawn(scene: Scene, size: int = 64) -> np.ndarray:
    return render(scene, size, frames=1).frames[0]


def test_a_circle_by_hand() -> None:
    picture = drawn(still("circle"))
    assert tuple(picture[32, 32]) == RGB["white"] and tuple(picture[0, 0]) == RGB["black"]
    share = (picture[:, :, 0].astype(float) - 8).sum() / (245 - 8) / 64**2
    assert share == pytest.approx(np.pi * 0.17**2, rel=0.01), "edges are smooth"
    # The edge lies 0.17 · 64 = 10.9 pixels from the middle.
    assert picture[32, 32 + 10, 0] > 200 and picture[32, 32 + 11, 0] < 60


@pytest.mark.parametrize("size", [32, 64])
def test_no_two_shapes_look_alike(size: int) -> None:
    pictures = [drawn(still(shape), size).astype(int) for shape in SHAPES + DIGITS]
    for number, one in enumerate(pictures):
        for other in pictures[:number]:
            assert np.abs(one - other).sum() / 237 / 3 > 4, "at least four pixels differ"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([32, 64]))
def test_a_thing_is_where_it_is_said_to_be(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    scene = next(x for x in iter(lambda: draw_scene(random), None) if len(x.things) == 1)
    thing, clip = scene.things[0], render(scene, size)
    ground = np.array(RGB[scene.background])
    painted = np.abs(clip.frames.astype(int) - ground).sum(-1)
    centres = positions(thing, np.arange(len(clip.frames)) / FPS) * size
    for frame, (x, y) in zip(painted, centres, strict=True):
        rows, columns = np.nonzero(frame)
        assert abs((columns.min() + columns.max() + 1) / 2 - x) < thing.radius * size
        assert rows.min() >= y - thing.radius * size - 1.5  # a sharp point is smoothed
        assert rows.max() <= y + thing.radius * size + 1


def test_the_later_thing_is_in_front() -> None:
    behind = Thing("square", "red", "large", "still", "slow", (0.5, 0.5))
    front = Thing("square", "blue", "small", "still", "slow", (0.5, 0.5))
    picture = drawn(Scene((behind, front), "black"))
    assert tuple(picture[32, 32]) == RGB["blue"] and tuple(picture[32, 24]) == RGB["red"]


def test_a_thing_at_the_wall_is_cut_off_and_nothing_else() -> None:
    picture = drawn(still("square", (0.0, 0.5)))
    assert tuple(picture[32, 0]) == RGB["white"] and tuple(picture[32, 63]) == RGB["black"]
    assert tuple(drawn(still("square", (-1.0, 0.5)))[32, 0]) == RGB["black"]


def test_a_clip_knows_its_length_and_shape() -> None:
    assert render(still("ring"), 32, frames=12, fps=8).seconds == 1.5
    with pytest.raises(ValueError, match="frames are uint8"):
        Clip(np.zeros((3, 4, 4, 3), np.float32))  # type: ignore[arg-type]
