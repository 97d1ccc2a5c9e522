"""How far two sets of films lie apart in a judge's features.

Not FVD, which is this distance in another network's features and cannot be compared with it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from goodput.video.clip import Clip
from goodput.video.judging.look import Look, centred
from goodput.video.judging.track import background_of, track
from goodput.video.scenes.scene import Scene

_PLACES: Final = 8
"""Times at which a film's thing is looked for."""

Features = npt.NDArray[np.float64]
"""(films, features)"""


def frechet_distance(one: Features, other: Features) -> float:
    """‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½): between normal distributions (Dowson and Landau,
    1982). Each set needs two films at least."""
    means = one.mean(0) - other.mean(0)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = _root(first)
    # The trace of (Σ₁ Σ₂)^½ is that of the root of a symmetric matrix with the same eigenvalues.
    mixed = np.trace(_root(root @ second @ root))
    return float(means @ means + np.trace(first) + np.trace(second) - 2 * mixed)


def film_features(network: Look, clip: Clip, scene: Scene) -> npt.NDArray[np.float64] | None:
    """What the film's first thing looks like to the judge, and where it is at eight times.

    None when it is not there. Shuffled or frozen frames change the places, and not the look.
    """
    ground = background_of(clip.frames)
    found = track(clip.frames, scene.things[0].colour, ground)
    if not found.found:
        return None
    look = network.features(centred(found)[None, None])[0].numpy().astype(np.float64)
    chosen = np.linspace(0, len(found.centres) - 1, _PLACES).round().astype(int)
    return np.concatenate([look, 4 * found.centres[chosen].ravel()])


def _root(matrix: Features) -> Features:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    rooted: Features = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return rooted
