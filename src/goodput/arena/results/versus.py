"""Head to head: strengths from wins, draws and losses, and a running rating to look at.

Strengths are those of Davidson's model (1970), Bradley and Terry's with draws: with θ in log units,
P(i beats j) : P(draw) : P(j beats i) = exp(θᵢ) : exp(η + (θᵢ + θⱼ)/2) : exp(θⱼ). A normal prior of
standard deviation 3 keeps the strength of a player who won, or lost, everything finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from goodput.arena.episode.record import Episode
from goodput.arena.results.statistics import Interval

PRIOR_DEVIATION: Final = 3.0
ELO_START: Final = 1000.0
ELO_STEP: Final = 16.0
_PER_ELO: Final = 400 / np.log(10)
_REPLICATES: Final = 300
_ROUNDS: Final = 50

Floats = npt.NDArray[np.float64]


class Result(msgspec.Struct, frozen=True):
    """One game: who sat where, what the first seat got (1, 0.5, 0), and on which seed. A forfeit is
    a lost game like any other."""

    first: str
    second: str
    points: float
    seed: int


class Strength(msgspec.Struct, frozen=True, kw_only=True):
    """A player among those it met. ``strength`` is in Elo units around the field's mean of 0; the
    interval resamples whole seeds, whose two games (seats swapped) are no two samples. ``rating``
    is the running Elo after the last game, for display only."""

    player: str
    games: int
    points: float
    forfeits: int
    strength: float
    interval: Interval | None
    rating: float


def results_of(episodes: Iterable[Episode]) -> list[Result]:
    """The games of two seats between different players, in their order."""
    return [
        Result(*episode.header.players, episode.end.outcome[0], episode.header.seed)
        for episode in episodes
        if len(episode.header.players) == 2 and len(set(episode.header.players)) == 2
    ]


def strengths_of(episodes: Sequence[Episode]) -> list[Strength]:
    """Everybody's strength, the strongest first."""
    results = results_of(episodes)
    names = list(
        dict.fromkeys(name for result in results for name in (result.first, result.second))
    )
    if not names:
        return []
    strengths, intervals = fitted(results, names), _intervals(results, names)
    ratings = elo(results)
    rows = [
        Strength(
            player=name,
            games=sum(name in (result.first, result.second) for result in results),
            points=_points(results, name),
            forfeits=_forfeits(episodes, name),
            strength=float(strength * _PER_ELO),
            interval=interval,
            rating=ratings[name],
        )
        for name, strength, interval in zip(names, strengths, intervals, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.strength)


def fitted(results: Sequence[Result], names: Sequence[str]) -> Floats:
    """θ of each name, mean 0: the most likely ones under the prior, by Newton's method (the
    logarithm of the likelihood is concave)."""
    place = {name: index for index, name in enumerate(names)}
    pairs = np.array([(place[result.first], place[result.second]) for result in results])
    points = np.array([result.points for result in results])
    parameters = np.zeros(len(names) + 1)
    for _ in range(_ROUNDS):
        slope, curvature = _derivatives(parameters, pairs, points)
        step = np.linalg.solve(curvature, slope)
        parameters += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    strengths: Floats = parameters[:-1] - parameters[:-1].mean()
    return strengths


def elo(results: Iterable[Result]) -> dict[str, float]:
    """Elo's rating of each player after all games in their order, from 1000 by steps of 16."""
    ratings: dict[str, float] = {}
    for result in results:
        first = ratings.setdefault(result.first, ELO_START)
        second = ratings.setdefault(result.second, ELO_START)
        expected = 1 / (1 + 10 ** ((second - first) / 400))
        change = ELO_STEP * (result.points - expected)
        ratings[result.first] += change
        ratings[result.second] -= change
    return ratings


def _derivatives(
    parameters: Floats, pairs: npt.NDArray[np.int64], points: Floats
) -> tuple[Floats, Floats]:
    """The slope of the log posterior and its negated curvature. Each game is a choice among three
    outcomes whose utilities are linear in the parameters."""
    count = len(parameters)
    precision = np.full(count, PRIOR_DEVIATION**-2)
    slope, curvature = -precision * parameters, np.diag(precision)
    for (first, second), won in zip(pairs, points, strict=True):
        effects = np.zeros((3, count))
        effects[0, first] = effects[2, second] = 1.0
        effects[1, [first, second]] = 0.5
        effects[1, -1] = 1.0
        utilities = effects @ parameters
        chances = np.exp(utilities - utilities.max())
        chances /= chances.sum()
        seen = effects[{1.0: 0, 0.5: 1, 0.0: 2}[float(won)]]
        mean = chances @ effects
        slope += seen - mean
        curvature += (effects.T * chances) @ effects - np.outer(mean, mean)
    return slope, curvature


def _intervals(results: Sequence[Result], names: Sequence[str]) -> list[Interval | None]:
    seeds = sorted({result.seed for result in results})
    if len(seeds) < 2:
        return [None] * len(names)
    games = {seed: [result for result in results if result.seed == seed] for seed in seeds}
    dice = np.random.default_rng(0)
    drawn = []
    for _ in range(_REPLICATES):
        picked = dice.choice(seeds, len(seeds))
        drawn.append(fitted([game for seed in picked for game in games[int(seed)]], names))
    bounds = np.quantile(np.array(drawn), [0.025, 0.975], axis=0) * _PER_ELO
    return [(float(low), float(high)) for low, high in bounds.T]


def _points(results: Iterable[Result], name: str) -> float:
    return sum(
        result.points if result.first == name else 1 - result.points
        for result in results
        if name in (result.first, result.second)
    )


def _forfeits(episodes: Iterable[Episode], name: str) -> int:
    return sum(
        episode.end.forfeited_by is not None
        and episode.header.players[episode.end.forfeited_by] == name
        for episode in episodes
    )
