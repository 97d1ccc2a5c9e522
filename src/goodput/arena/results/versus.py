"""Head to head: strengths from wins, draws and losses (:mod:`davidson`), and a running rating to
look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from goodput.arena.results.davidson import Floats, Pair, strengths
from goodput.arena.results.matches import Result
from goodput.arena.results.statistics import Interval, middle

ELO_START: Final = 1000.0
ELO_STEP: Final = 16.0
_PER_ELO: Final = 400 / np.log(10)
_REPLICATES: Final = 1000
_SHARED: Final = (0.5, 0.0, 0.5)
"""A game whose point was shared, as wins, draws and losses; a draw would tell of drawing."""


class Strength(msgspec.Struct, frozen=True, kw_only=True):
    """A player among those it met. ``strength`` is in Elo units around the field's mean of 0;
    ``interval`` is None on one seed. ``rating`` is the running Elo after the last seed, for display
    only."""

    player: str
    games: int
    points: float
    forfeits: int
    strength: float
    interval: Interval | None
    rating: float


def strengths_of(results: Sequence[Result]) -> list[Strength]:
    """Everybody's strength, the strongest first."""
    names = sorted({name for game in results for name in (game.first, game.second)})
    if not names:
        return []
    found, intervals, ratings = fitted(results, names), _intervals(results, names), elo(results)
    rows = []
    for name, strength, interval in zip(names, found, intervals, strict=True):
        own = [game for game in results if name in (game.first, game.second)]
        rows.append(
            Strength(
                player=name,
                games=len(own),
                points=sum(game.points_of(name) for game in own),
                forfeits=sum(game.forfeited_by == name for game in own),
                strength=float(strength * _PER_ELO),
                interval=interval,
                rating=ratings[name],
            )
        )
    # Equals stay in the order of their names, whatever the last bits say.
    return sorted(rows, key=lambda row: -round(row.strength, 6))


def fitted(results: Sequence[Result], names: Sequence[str]) -> Floats:
    """θ of each of ``names``, mean 0, in log units."""
    pairs, counts = _counted(results, names)
    found: Floats = strengths(pairs, counts.sum(axis=0, keepdims=True), len(names))[0]
    return found


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


def _intervals(results: Sequence[Result], names: Sequence[str]) -> list[Interval | None]:
    """By resampling whole seeds, whose two games (seats swapped) are no two samples.

    One more seed is among those drawn from, on which all who met shared the point. Without it all
    replicates of a player who won everything would be the same, and its interval of no width.
    """
    pairs, counts = _counted(results, names)
    if len(counts) < 2:
        return [None] * len(names)
    counts = np.concatenate([counts, np.tile(_SHARED, (1, len(pairs), 1))])
    seeds = len(counts)
    drawn = np.random.default_rng(0).multinomial(seeds, np.full(seeds, 1 / seeds), _REPLICATES)
    samples = np.einsum("rs,spo->rpo", drawn.astype(float), counts)
    found = strengths(pairs, samples, len(names)) * _PER_ELO
    return [middle(draws) for draws in found.T]


def _counted(results: Iterable[Result], names: Sequence[str]) -> tuple[list[Pair], Floats]:
    """The pairs that met, and ``[seeds, pairs, 3]``: the first one's wins, draws and losses."""
    place = {name: index for index, name in enumerate(names)}
    games = []
    for result in results:
        first, second = place[result.first], place[result.second]
        points = result.points if first < second else 1 - result.points
        games.append((result.seed, (min(first, second), max(first, second)), points))
    seeds = {seed: row for row, seed in enumerate(sorted({seed for seed, *_ in games}))}
    pairs = sorted({pair for _, pair, _ in games})
    columns = {pair: column for column, pair in enumerate(pairs)}
    counts = np.zeros((len(seeds), len(pairs), 3))
    for seed, pair, points in games:
        counts[seeds[seed], columns[pair], round(2 - 2 * points)] += 1
    return pairs, counts
