"""Sentences say what is there, in words that the model knows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from goodput.video.scenes.captions import (
    GROUND_WORDS,
    MOVES,
    NAMES,
    SIZE_WORDS,
    SPEED_WORDS,
    VOCABULARY,
    describe,
    words_of,
)
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.scene import Scene, Thing


def one(thing: Thing) -> Scene:
    return Scene((thing,), "navy")


@given(seed=st.integers(0, 2**32), omit=st.sampled_from([0.0, 0.3, 1.0]))
def test_every_word_is_known(seed: int, omit: float) -> None:
    random = np.random.default_rng(seed)
    assert set(words_of(describe(draw_scene(random), random, omit=omit))) <= set(VOCABULARY)


@given(seed=st.integers(0, 2**32))
def test_look_and_path_are_always_told(seed: int) -> None:
    random = np.random.default_rng(seed)
    scene = draw_scene(random)
    text = describe(scene, random, omit=1.0)
    for thing in scene.things:
        assert thing.colour in text
        # "two boxes" has the singular in it, and so has "numbers 3".
        assert any(name in text.replace("numbers", "number") for name in NAMES[thing.shape])
        if not scene.crossing:
            assert any(move in text for move in MOVES[thing.path])
    assert not any(word in words_of(text) for words in SIZE_WORDS.values() for word in words)
    assert not any(word in text for words in GROUND_WORDS.values() for word in words)


def test_everything_is_told_when_nothing_is_left_out() -> None:
    thing = Thing("7", "green", "large", "bounce", "slow", (0.5, 0.5))
    random, texts = np.random.default_rng(0), set()
    for _ in range(300):
        text = describe(one(thing), random, omit=0.0)
        texts.add(text)
        assert any(word in text for word in SIZE_WORDS["large"])
        assert any(word in text for word in SPEED_WORDS["slow"])
        assert "navy" in text and "green" in text
    # Sizes, names, moves, speeds and grounds in all their wordings: 3 · 2 · 3 · 2 · 4.
    assert len(texts) > 100


def test_nobody_says_how_fast_a_thing_rests() -> None:
    thing = Thing("ring", "red", "small", "still", "fast", (0.5, 0.5))
    random = np.random.default_rng(0)
    for _ in range(50):
        text = describe(one(thing), random, omit=0.0)
        assert not any(word in words_of(text) for words in SPEED_WORDS.values() for word in words)


def test_twins_are_two() -> None:
    twins = tuple(
        Thing("square", "blue", "small", path, "fast", (0.5, 0.5)) for path in ("left", "right")
    )
    scene = Scene(twins, "black", crossing=True)  # type: ignore[arg-type]
    random = np.random.default_rng(0)
    texts = {describe(scene, random, omit=1.0) for _ in range(60)}
    assert "two blue squares cross" in texts and "two blue boxes meet" in texts
    other = Scene((twins[0], Thing("3", "red", "small", "right", "fast", (0, 0))), "black", True)  # type: ignore[arg-type]
    text = describe(other, random, omit=1.0)
    assert text.startswith("a blue ") and " and a red " in text


def test_words_are_letters_and_single_digits() -> None:
    assert words_of("Two BLUE squares, number 3!") == ["two", "blue", "squares", "number", "3"]
