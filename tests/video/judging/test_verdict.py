"""Verdicts on films that show something else than was asked, one attribute at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from goodput.video.clip import Clip, Frames
from goodput.video.judging.frechet import film_features, frechet_distance
from goodput.video.judging.look import KINDS, Look, read_look, write_look
from goodput.video.judging.training import real_clip, train_look
from goodput.video.judging.verdict import ATTRIBUTES, adherence, judge
from goodput.video.scenes.render import render
from goodput.video.scenes.scene import Scene, Thing

THING = Thing("square", "blue", "large", "right", "fast", (0.2, 0.5))
ASKED = Scene((THING,), "navy")


@pytest.fixture(scope="module")
def network() -> Look:
    """Trained for seconds; enough to tell large squares from small rings."""
    return train_look(0, clips=300, steps=150, progress=lambda done: None)


def wrong(network: Look, shown: Scene, asked: Scene = ASKED) -> list[str]:
    verdict = judge(network, render(shown, 64), asked)
    assert verdict.all_right == (not any(not getattr(verdict, name) for name in ATTRIBUTES))
    return [name for name in ATTRIBUTES if not getattr(verdict, name)]


def one(**changes: object) -> Scene:
    return Scene((replace(THING, **changes),), "navy")


def test_each_wrong_attribute_is_named(network: Look) -> None:
    assert wrong(network, ASKED) == []
    assert wrong(network, replace(ASKED, background="brown")) == ["background"]
    assert wrong(network, one(shape="ring")) == ["shape"]
    assert wrong(network, one(size="small")) == ["size"]
    assert wrong(network, one(speed="slow")) == ["speed"]
    assert wrong(network, one(path="down", start=(0.5, 0.2))) == ["path", "speed"]
    # What is not there at all has no shape and no way either.
    assert wrong(network, one(colour="red")) == ["colour", "shape", "size", "path", "speed"]


def test_two_things_are_judged_together(network: Look) -> None:
    other = Thing("circle", "red", "large", "left", "fast", (0.8, 0.2))
    pair = Scene((THING, other), "navy")
    assert wrong(network, pair, pair) == []
    slow = replace(other, speed="slow")
    assert wrong(network, Scene((THING, slow), "navy"), pair) == ["speed"]
    assert "colour" in wrong(network, ASKED, pair)


def test_twins_that_cross(network: Look) -> None:
    twin = replace(THING, path="left", start=(0.8, 0.5))
    pair = Scene((THING, twin), "navy", crossing=True)
    assert wrong(network, pair, pair) == []
    assert "path" in wrong(network, ASKED, pair), "one of them is not two"


def test_adherence_sums_up(network: Look) -> None:
    good = judge(network, render(ASKED, 64), ASKED)
    bad = judge(network, render(one(speed="slow"), 64), ASKED)
    found = adherence([good, good, bad, good])
    assert found.all_right == 0.75 and found.attributes["speed"] == 0.75
    assert found.attributes["shape"] == 1.0 and found.films == 4
    assert found.interval[0] < 0.75 < found.interval[1]
    assert found.median_heading_error is not None and found.median_heading_error < 2


def test_a_judge_is_kept_in_a_file(network: Look, tmp_path: Path) -> None:
    path = tmp_path / "look.safetensors"
    write_look(path, network)
    again = read_look(path)
    assert judge(again, render(ASKED, 64), ASKED).all_right


def test_training_films_are_a_function_of_their_number() -> None:
    one, same, other = (real_clip(0, number) for number in (4, 4, 5))
    assert np.array_equal(one[0].frames, same[0].frames) and one[1] == same[1] != other[1]
    assert isinstance(one[0], Clip) and len(KINDS) == 28


def test_shuffled_and_frozen_films_lie_apart(network: Look) -> None:
    def features(change: Callable[[Frames], Frames], seed: int) -> np.ndarray:
        found = []
        for number in range(150):
            clip, scene = real_clip(seed, number, rough=False)
            row = film_features(network, Clip(change(clip.frames)), scene)
            assert row is not None
            found.append(row)
        return np.stack(found)

    random = np.random.default_rng(0)
    real = features(lambda frames: frames, 1)
    control = frechet_distance(real, features(lambda frames: frames, 2))
    shuffled = frechet_distance(real, features(random.permutation, 2))
    frozen = frechet_distance(real, features(lambda x: np.repeat(x[:1], len(x), axis=0), 2))
    assert control < min(shuffled, frozen)
    assert film_features(network, Clip(np.zeros((8, 64, 64, 3), np.uint8)), ASKED) is None


def test_frechet_by_hand() -> None:
    random = np.random.default_rng(0)
    one = random.normal(0, 1, (4000, 3))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    # Means 2 apart, and deviations 1 and 3 in each of three directions: 4 + 3 · (3 - 1)².
    other = random.normal(0, 3, (4000, 3)) + np.array([2.0, 0.0, 0.0])
    assert frechet_distance(one, other) == pytest.approx(16, rel=0.06)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one))
