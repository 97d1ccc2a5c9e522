"""Where things are, worked out by hand, and that they never leave the picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.video.clip import FPS, FRAMES
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.motion import positions
from goodput.video.scenes.scene import Path, Thing, held_out

TIMES = np.arange(FRAMES) / FPS


def thing(path: Path, start: tuple[float, float], towards: float = 0.0) -> Thing:
    return Thing("circle", "red", "small", path, "fast", start, towards)


def at(moving: Thing, *times: float) -> list[list[float]]:
    return positions(moving, np.array(times)).tolist()


def test_straight_paths_go_where_they_say() -> None:
    assert at(thing("right", (0.2, 0.5)), 0, 2) == pytest.approx(
        np.array([[0.2, 0.5], [0.44, 0.5]])
    )
    assert at(thing("left", (0.8, 0.5)), 1)[0] == pytest.approx([0.68, 0.5])
    assert at(thing("down", (0.5, 0.2)), 1)[0] == pytest.approx([0.5, 0.32])
    assert at(thing("up", (0.5, 0.8)), 1)[0] == pytest.approx([0.5, 0.68])
    assert at(thing("still", (0.3, 0.4)), 0, 4) == [[0.3, 0.4], [0.3, 0.4]]


def test_clockwise_is_clockwise_to_the_eye() -> None:
    # From the top, y pointing down, a quarter turn clockwise leads to the right.
    quarter = 1 / (4 * 0.28)
    assert at(thing("clockwise", (0.5, 0.2)), quarter)[0] == pytest.approx([0.8, 0.5])
    assert at(thing("counterclockwise", (0.5, 0.2)), quarter)[0] == pytest.approx([0.2, 0.5])


def test_walls_throw_back() -> None:
    # 0.45 widths a second to the right; its edge meets the wall when its centre is at 0.9.
    moving = thing("bounce", (0.8, 0.5), towards=0.0)
    hit = 0.1 / 0.45
    found = at(moving, hit, 2 * hit, hit + 0.8 / 0.45, hit + 1.6 / 0.45)
    assert found == pytest.approx(np.array([[0.9, 0.5], [0.8, 0.5], [0.1, 0.5], [0.9, 0.5]]))


@given(seed=st.integers(0, 2**32), kept=st.booleans())
def test_everything_stays_in_the_picture(seed: int, kept: bool) -> None:
    scene = draw_scene(np.random.default_rng(seed), from_held_out=kept)
    assert 1 <= len(scene.things) <= 2
    for one in scene.things:
        way = positions(one, TIMES)
        assert one.radius - 1e-9 <= way.min() and way.max() <= 1 - one.radius + 1e-9
        assert held_out(one) == kept


@given(seed=st.integers(0, 2**32))
def test_crossing_things_meet_halfway(seed: int) -> None:
    random = np.random.default_rng(seed)
    scene = next(x for x in iter(lambda: draw_scene(random), None) if x.crossing)
    first, second = (positions(one, np.array([0.0, 2.5, 5.0])) for one in scene.things)
    assert first[1] == pytest.approx(second[1])
    assert first[0] == pytest.approx(second[2]) and first[2] == pytest.approx(second[0])
    assert math.dist(first[0], first[2]) == pytest.approx(0.6)


def test_scenes_are_a_function_of_their_seed() -> None:
    one, same, other = (draw_scene(np.random.default_rng([3, n])) for n in (1, 1, 2))
    assert one == same != other


def test_a_tenth_of_the_combinations_is_held_out() -> None:
    from goodput.video.scenes.scene import COLOURS, DIGITS, PATHS, SHAPES

    kept = [
        held_out(Thing(shape, colour, "small", path, "slow", (0.5, 0.5)))
        for shape in SHAPES + DIGITS
        for colour in COLOURS
        for path in PATHS
    ]
    assert 0.07 < sum(kept) / len(kept) < 0.13
