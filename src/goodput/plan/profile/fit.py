"""Lines through measured steps: least squares of the relative error, no coefficient below zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from goodput.core.errors import UsageError
from goodput.plan.profile.schema import Line, RegionError, StepLoad

Floats = npt.NDArray[np.float64]

# Every so many-th point is not fitted but predicted, to say how far the line can be trusted.
_HELD_OUT: Final = 4
_BATCHES: Final = (4, 8, 16)
_FEWEST_POINTS: Final = 3


@dataclass(frozen=True, slots=True)
class Point:
    """A step that was timed: what it computed, and seconds."""

    load: StepLoad
    seconds: float


def fit_line(points: Sequence[Point]) -> Line:
    """The line with the least squared relative error; terms that no point has are zero.

    Exact: with at most five coefficients every set of positive ones is tried. Raises UsageError
    when there are too few points.
    """
    if len(points) < _FEWEST_POINTS:
        raise UsageError(f"{len(points)} measured steps are too few to fit a line through")
    seconds = np.array([point.seconds for point in points])
    terms = np.array([_terms(point.load) for point in points])
    # Relative error: every row is divided by what was measured, and should then come to one.
    rows = terms / seconds[:, None]
    used = [index for index in range(terms.shape[1]) if terms[:, index].any()]
    best, least = np.zeros(terms.shape[1]), float("inf")
    for size in range(1, len(used) + 1):
        for chosen in combinations(used, size):
            found = np.linalg.lstsq(rows[:, chosen], np.ones(len(points)), rcond=None)[0]
            if (found < 0).any():
                continue
            error = float(((rows[:, chosen] @ found - 1) ** 2).sum())
            if error < least:
                least, best = error, np.zeros(terms.shape[1])
                best[list(chosen)] = found
    base, *rest = (float(value) for value in best)
    return Line(
        base_s=base,
        prefill_token_s=rest[0],
        prefill_pair_s=rest[1],
        decode_row_s=rest[2],
        context_token_s=rest[3],
    )


def judged_line(region: str, points: Sequence[Point]) -> tuple[Line, RegionError]:
    """The line through all points, and how well one through three quarters predicts the others."""
    held = points[_HELD_OUT - 1 :: _HELD_OUT]
    kept = [point for number, point in enumerate(points, 1) if number % _HELD_OUT]
    return fit_line(points), error_of(region, fit_line(kept), held)


def error_of(region: str, line: Line, points: Sequence[Point]) -> RegionError:
    """The relative errors of ``line`` at ``points`` (at least one)."""
    errors = [abs(line.seconds(point.load) / point.seconds - 1) for point in points]
    return RegionError(
        region=region,
        points=len(points),
        median=float(np.median(errors)),
        p90=float(np.quantile(errors, 0.9)),
        worst=max(errors),
    )


def split_batch(points: Sequence[Point]) -> int | None:
    """The batch from which decode steps follow another line; None where one line does as well.

    A few rows wait for the weights, many for the arithmetic, so the slope changes once.
    """
    choices: list[tuple[float, int | None]] = [(_squares(points), None)]
    for batch in _BATCHES:
        few = [point for point in points if point.load.decode_rows < batch]
        many = [point for point in points if point.load.decode_rows >= batch]
        if min(len(few), len(many)) > _FEWEST_POINTS:
            choices.append((_squares(few) + _squares(many), batch))
    return min(choices, key=lambda choice: choice[0])[1]


def _squares(points: Sequence[Point]) -> float:
    line = fit_line(points)
    return sum((line.seconds(point.load) / point.seconds - 1) ** 2 for point in points)


def _terms(load: StepLoad) -> tuple[float, ...]:
    """In the order of the fields of :class:`Line`."""
    return (
        1.0,
        load.prefill_tokens,
        load.prefill_pairs,
        load.decode_rows,
        load.context_tokens,
    )
