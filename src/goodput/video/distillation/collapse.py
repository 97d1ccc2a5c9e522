"""Signs that a student stopped making films: nothing moves, one colour, a critic that lost its way.

The failures that distillations of this kind are known for; each is compared with what real films
of the same sentences show, so that a film that is meant to rest is no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from goodput.core.errors import GoodputError
from goodput.video.clip import Frames

_MOVES_BY: Final = 24
"""Change of a channel, of 255, that is seen as movement."""
_STATIC_MORE: Final = 0.5
_ENTROPY_LEFT: Final = 0.35
_WIDEST_GAP: Final = 4.0
_BINS: Final = 4


class Vitals(msgspec.Struct, frozen=True):
    """What a set of films shows."""

    static_share: float
    """Films in which nothing ever moves."""
    colour_entropy: float
    """Of the colours of all their pixels in bins of 64, in bits."""


class CollapsedError(GoodputError):
    """Training goes on making nothing: it was stopped, and says why."""


def vitals(films: Sequence[Frames]) -> Vitals:
    """What ``films`` show."""
    static = [
        not (np.abs(np.diff(film.astype(np.int16), axis=0)) > _MOVES_BY).any() for film in films
    ]
    bins = np.concatenate([(film // (256 // _BINS)).reshape(-1, 3) for film in films])
    counts = np.bincount(bins @ np.array([_BINS * _BINS, _BINS, 1]), minlength=_BINS**3)
    shares = counts[counts > 0] / counts.sum()
    return Vitals(float(np.mean(static)), float((shares * np.log2(1 / shares)).sum()))


def check(found: Vitals, real: Vitals, gap: float | None = None) -> None:
    """Raise CollapsedError when the student's films are no films any more."""
    if found.static_share > real.static_share + _STATIC_MORE:
        raise CollapsedError(
            f"the student collapsed: nothing moves in {found.static_share:.0%} of its films "
            f"({real.static_share:.0%} of real ones)"
        )
    if found.colour_entropy < real.colour_entropy * _ENTROPY_LEFT:
        raise CollapsedError(
            f"the student collapsed: its colours have {found.colour_entropy:.2f} bits "
            f"({real.colour_entropy:.2f} of real films)"
        )
    if gap is not None and not gap < _WIDEST_GAP:
        raise CollapsedError(
            f"the critic lost its way: it differs from the teacher {gap:.1f} times as much as the "
            f"teacher from the student (at most {_WIDEST_GAP:g}); train it more often or faster"
        )
