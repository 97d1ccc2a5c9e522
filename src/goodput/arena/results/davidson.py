"""Davidson's model (1970) of games that may be drawn, an extension of Bradley and Terry's (1952).

With θ the players' strengths in log units and η the tendency to draw,
P(i beats j) : P(draw) : P(j beats i) = exp(θᵢ) : exp(η + (θᵢ + θⱼ)/2) : exp(θⱼ).
A normal prior of mean 0 and standard deviation 3 on each θ and on η keeps the strength of a player
who won, or lost, everything finite, and players who share no opponent comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pair = tuple[int, int]

PRIOR_DEVIATION: Final = 3.0
_PRECISION: Final = PRIOR_DEVIATION**-2
_ROUNDS: Final = 100
_CLOSE: Final = 1e-9


def strengths(pairs: Sequence[Pair], counts: Floats, players: int) -> Floats:
    """The most likely θ under the prior, ``[samples, players]``, each row of mean 0.

    ``counts`` is ``[samples, pairs, 3]``: how often the first of each of ``pairs`` (indices of
    players) won, drew and lost, fractions allowed; each sample is fitted by itself. By Newton's
    method, no step longer than 1: the logarithm of the posterior is concave.
    """
    effects = _effects(pairs, players)
    games = counts.sum(axis=2, keepdims=True)
    parameters = np.zeros((len(counts), players + 1))
    for _ in range(_ROUNDS):
        chances = _chances(parameters, effects)
        slope = np.einsum("spo,pok->sk", counts - games * chances, effects)
        slope -= _PRECISION * parameters
        curvature = _curvature(games * chances, games, effects)
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        parameters += step / np.maximum(1.0, longest)
        if longest.max() < _CLOSE:
            break
    found: Floats = parameters[:, :-1] - parameters[:, :-1].mean(axis=1, keepdims=True)
    return found


def _effects(pairs: Sequence[Pair], players: int) -> Floats:
    """``[pairs, 3, players + 1]``: each outcome's utility as a linear form of (θ, η)."""
    effects = np.zeros((len(pairs), 3, players + 1))
    for row, (first, second) in zip(effects, pairs, strict=True):
        row[0, first] = row[2, second] = 1.0
        row[1, [first, second]] = 0.5
        row[1, -1] = 1.0
    return effects


def _chances(parameters: Floats, effects: Floats) -> Floats:
    """``[samples, pairs, 3]``: how likely each outcome is."""
    utilities = np.einsum("sk,pok->spo", parameters, effects)
    weights = np.exp(utilities - utilities.max(axis=2, keepdims=True))
    chances: Floats = weights / weights.sum(axis=2, keepdims=True)
    return chances


def _curvature(expected: Floats, games: Floats, effects: Floats) -> Floats:
    """``[samples, k, k]``: the negated second derivative, which is the prior's precision and the
    covariance of the effects under the model, summed over the games."""
    samples, size = len(expected), effects.shape[2]
    forms = effects.reshape(-1, size)
    squares = (forms[:, :, None] * forms[:, None, :]).reshape(len(forms), -1)
    second = (expected.reshape(samples, -1) @ squares).reshape(samples, size, size)
    sums = np.einsum("spo,pok->spk", expected, effects)
    means = sums / np.maximum(games, 1e-300)
    curvature: Floats = second - sums.swapaxes(1, 2) @ means + _PRECISION * np.eye(size)
    return curvature
