"""Sentences that say what a scene shows, in many wordings; the vocabulary that they need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from goodput.video.scenes.scene import COLOURS, Background, Path, Scene, Shape, Size, Speed, Thing

NAMES: Final[dict[Shape, tuple[str, ...]]] = {
    "circle": ("circle", "disc", "ball", "dot"),
    "square": ("square", "box", "block"),
    "triangle": ("triangle",),
    "ring": ("ring", "hoop"),
    "0": ("digit zero", "number 0"),
    "1": ("digit one", "number 1"),
    "2": ("digit two", "number 2"),
    "3": ("digit three", "number 3"),
    "4": ("digit four", "number 4"),
    "5": ("digit five", "number 5"),
    "6": ("digit six", "number 6"),
    "7": ("digit seven", "number 7"),
    "8": ("digit eight", "number 8"),
    "9": ("digit nine", "number 9"),
}
SIZE_WORDS: Final[dict[Size, tuple[str, ...]]] = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
}
SPEED_WORDS: Final[dict[Speed, tuple[str, ...]]] = {
    "slow": ("slowly", "gently"),
    "fast": ("quickly", "fast", "rapidly"),
}
MOVES: Final[dict[Path, tuple[str, ...]]] = {
    "left": ("moves left", "drifts to the left", "glides left", "goes to the left"),
    "right": ("moves right", "drifts to the right", "glides right", "goes to the right"),
    "up": ("moves up", "rises", "glides up", "goes upwards"),
    "down": ("moves down", "sinks", "glides down", "goes downwards"),
    "bounce": ("bounces", "bounces around", "bounces off the walls"),
    "clockwise": ("circles clockwise", "orbits clockwise", "turns clockwise"),
    "counterclockwise": (
        "circles counterclockwise",
        "orbits counterclockwise",
        "turns counterclockwise",
    ),
    "still": ("stays still", "rests", "does not move", "stands still"),
}
GROUNDS: Final = ("on a {} background", "over {}", "against {}", "before a {} wall")
GROUND_WORDS: Final[dict[Background, tuple[str, ...]]] = {
    "black": ("black",),
    "grey": ("grey", "gray"),
    "navy": ("navy",),
    "brown": ("brown",),
}
_CROSSES: Final = ("cross", "pass each other", "meet")
_OMITTED: Final = 0.3


def describe(scene: Scene, random: np.random.Generator, *, omit: float = _OMITTED) -> str:
    """One of the sentences for ``scene``.

    Size, speed and background are each left out with the chance ``omit``; shape, colour and path
    never are. With ``omit=0`` the sentence tells everything but places.
    """
    words = _Words(random, omit)
    if scene.crossing:
        text = _crossing(scene, words)
    else:
        text = " and ".join(_thing(thing, words) for thing in scene.things)
    if words.told():
        ground = words.one(GROUND_WORDS[scene.background])
        text += " " + words.one(GROUNDS).format(ground)
    return text


class _Words:
    """Draws among synonyms."""

    def __init__(self, random: np.random.Generator, omit: float) -> None:
        self._random = random
        self._omit = omit

    def one(self, of: Sequence[str]) -> str:
        return of[int(self._random.integers(len(of)))]

    def told(self) -> bool:
        return bool(self._random.random() >= self._omit)


def _thing(thing: Thing, words: _Words) -> str:
    text = f"a {_look(thing, words)} {words.one(MOVES[thing.path])}"
    # How fast something stands still cannot be seen.
    if thing.path != "still" and words.told():
        text += " " + words.one(SPEED_WORDS[thing.speed])
    return text


def _look(thing: Thing, words: _Words, *, several: bool = False) -> str:
    size = words.one(SIZE_WORDS[thing.size]) + " " if words.told() else ""
    name = words.one(NAMES[thing.shape])
    return f"{size}{thing.colour} {_plural(name) if several else name}"


def _plural(name: str) -> str:
    if name[-1].isdigit():
        return name.replace("number", "numbers")
    return name + ("es" if name.endswith("x") else "s")


def _crossing(scene: Scene, words: _Words) -> str:
    first, second = scene.things
    crosses = words.one(_CROSSES)
    if (first.shape, first.colour) == (second.shape, second.colour):
        return f"two {_look(first, words, several=True)} {crosses}"
    return f"a {_look(first, words)} and a {_look(second, words)} {crosses}"


def words_of(text: str) -> list[str]:
    """The words of a sentence, in lower case; everything but letters and digits separates."""
    return re.findall(r"[a-z]+|[0-9]", text.lower())


def _vocabulary() -> tuple[str, ...]:
    tables: tuple[Mapping[Any, Sequence[str]], ...] = (
        NAMES,
        SIZE_WORDS,
        SPEED_WORDS,
        MOVES,
        GROUND_WORDS,
    )
    phrases = ["a an and the two", *COLOURS, *_CROSSES, *(text.format("") for text in GROUNDS)]
    phrases += [phrase for table in tables for synonyms in table.values() for phrase in synonyms]
    phrases += [_plural(name) for names in NAMES.values() for name in names]
    return tuple(sorted({word for phrase in phrases for word in words_of(phrase)}))


VOCABULARY: Final = _vocabulary()
"""Every word that a sentence can have, sorted. What else is written is one unknown word."""
