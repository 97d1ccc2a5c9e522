"""A model on trial: many films of sentences whose scenes are known, beside real films of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from goodput.video.clip import Clip
from goodput.video.judging.frechet import film_features, frechet_distance
from goodput.video.judging.look import Look
from goodput.video.judging.verdict import Adherence, adherence, judge
from goodput.video.sampling.order import FilmMaker, Order
from goodput.video.sampling.whole import make_whole
from goodput.video.scenes.captions import describe
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.render import render
from goodput.video.scenes.scene import Scene

_TOGETHER: Final = 16
_LEAST_FOR_FRECHET: Final = 20
Asked = tuple[Scene, str]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ``real`` is what the judge says of real films of the same scenes: its own
    ceiling. Fréchet distances are to other real films; None with too few films to measure."""

    seed: int
    steps: int
    real: Adherence
    drawn: Adherence
    held_out: Adherence
    """Of combinations of shape, colour and path that were never trained on."""
    frechet: dict[str, float] | None
    """Of the films, and for comparison of other real ones, of shuffled and of frozen frames."""


def _asked_for(count: int, seed: int, *, held_out: bool = False) -> list[Asked]:
    """Scenes with sentences that leave nothing out."""
    random = np.random.default_rng([seed, held_out])
    found = []
    for _ in range(count):
        scene = draw_scene(random, from_held_out=held_out)
        found.append((scene, describe(scene, random, omit=0.0)))
    return found


def try_out(
    maker: FilmMaker[Any],
    network: Look,
    *,
    size: int,
    steps: int,
    films: int,
    seed: int,
    progress: Callable[[int], None],
) -> tuple[Trial, list[tuple[str, Clip]]]:
    """Have ``maker`` make ``films`` films of drawn scenes and half as many of held-out ones.

    Also returns the films of the drawn scenes, each with its sentence. ``progress`` is told how
    many are done.
    """
    drawn = _asked_for(films, seed)
    held = _asked_for(max(1, films // 2), seed, held_out=True)
    made = _made_by(maker, [*drawn, *held], size, steps, seed, progress)
    clips, held_clips = made[:films], made[films:]
    real = [render(scene, size) for scene, _ in drawn]
    trial = Trial(
        seed=seed,
        steps=steps,
        real=_judged(network, real, drawn),
        drawn=_judged(network, clips, drawn),
        held_out=_judged(network, held_clips, held),
        frechet=_distances(network, clips, real, drawn, size, seed),
    )
    return trial, [(sentence, clip) for (_, sentence), clip in zip(drawn, clips, strict=True)]


def _made_by(
    maker: FilmMaker[Any],
    asked: Sequence[Asked],
    size: int,
    steps: int,
    seed: int,
    progress: Callable[[int], None],
) -> list[Clip]:
    """A film of each sentence; ``progress`` is told how many are done."""
    clips: list[Clip] = []
    for first in range(0, len(asked), _TOGETHER):
        orders = [
            Order(sentence, seed * 100_003 + first + number, size, steps=steps)
            for number, (_, sentence) in enumerate(asked[first : first + _TOGETHER])
        ]
        clips += [Clip(frames) for frames in make_whole(maker, orders)]
        progress(len(clips))
    return clips


def _judged(network: Look, clips: Sequence[Clip], asked: Sequence[Asked]) -> Adherence:
    pairs = zip(clips, asked, strict=True)
    return adherence([judge(network, clip, scene) for clip, (scene, _) in pairs])


def _distances(
    network: Look,
    clips: Sequence[Clip],
    real: Sequence[Clip],
    drawn: Sequence[Asked],
    size: int,
    seed: int,
) -> dict[str, float] | None:
    others = _asked_for(len(drawn), seed + 1)
    scenes = [scene for scene, _ in drawn]
    base = _features(network, [render(x, size) for x, _ in others], [x for x, _ in others])
    random = np.random.default_rng(seed)
    shuffled = [Clip(random.permutation(clip.frames)) for clip in real]
    frozen = [Clip(np.repeat(clip.frames[:1], len(clip.frames), axis=0)) for clip in real]
    sets = {"films": clips, "real": real, "shuffled": shuffled, "frozen": frozen}
    features = {name: _features(network, some, scenes) for name, some in sets.items()}
    if min(map(len, [base, *features.values()])) < _LEAST_FOR_FRECHET:
        return None
    return {name: frechet_distance(base, rows) for name, rows in features.items()}


def _features(
    network: Look, clips: Sequence[Clip], scenes: Sequence[Scene]
) -> npt.NDArray[np.float64]:
    rows = [film_features(network, *pair) for pair in zip(clips, scenes, strict=True)]
    return np.array([row for row in rows if row is not None])
