"""Scores of one contest, player by player and pair by pair; everything is paired by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import Final

import msgspec

from goodput.arena.episode.figures import Figures, figures_of
from goodput.arena.results.contests import Seat, by_seed, game_points
from goodput.arena.results.statistics import (
    Interval,
    anchored,
    glass_delta,
    holm,
    mean_interval,
    sign_flip_p,
)

RANDOM: Final = "random"
REFERENCE: Final = "search"
FEW_SEEDS: Final = 10
"""With fewer, differences say little."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A player in a contest. ``score`` is the mean over seeds: of the game's own points, in games
    of two of what each game was worth (1, 0.5, 0; a forfeit is a lost game). ``game_points`` are
    the game's own in both. ``anchored`` puts the score between the random player (0) and the search
    player (1) on the seeds that all three played, ``delta`` is Glass's delta against the random
    one; None where those did not play."""

    player: str
    seeds: int
    score: float
    interval: Interval | None
    game_points: float
    anchored: float | None
    delta: float | None
    goodput: float | None
    late_share: float | None
    figures: Figures


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``first`` less ``second`` on the ``seeds`` that both played; ``p`` is corrected for all
    comparisons of the contest (Holm)."""

    first: str
    second: str
    seeds: int
    difference: float
    interval: Interval | None
    p: float


def rows_of(players: Mapping[str, Sequence[Seat]]) -> list[Row]:
    """A row a player, the best score first."""
    scores = {player: by_seed(seats) for player, seats in players.items()}
    random = scores.get(RANDOM, {})
    rows = []
    for player in _ranked(scores):
        own = scores[player]
        figures = figures_of(players[player])
        rows.append(
            Row(
                player=player,
                seeds=len(own),
                score=fmean(own.values()),
                interval=mean_interval(list(own.values())),
                game_points=game_points(players[player]),
                anchored=_place(own, random, scores.get(REFERENCE, {})),
                delta=(
                    glass_delta(list(own.values()), list(random.values()))
                    if player != RANDOM
                    else None
                ),
                goodput=figures.goodput,
                late_share=figures.late_share,
                figures=figures,
            )
        )
    return rows


def comparisons_of(players: Mapping[str, Sequence[Seat]]) -> list[Comparison]:
    """Every pair of players that has seeds in common; ``first`` is the one with the better row."""
    scores = {player: by_seed(seats) for player, seats in players.items()}
    found = []
    for first, second in combinations(_ranked(scores), 2):
        shared = scores[first].keys() & scores[second].keys()
        differences = [scores[first][seed] - scores[second][seed] for seed in sorted(shared)]
        if differences:
            found.append((first, second, differences, sign_flip_p(differences)))
    corrected = holm([p for *_, p in found])
    return [
        Comparison(
            first=first,
            second=second,
            seeds=len(differences),
            difference=fmean(differences),
            interval=mean_interval(differences),
            p=p,
        )
        for (first, second, differences, _), p in zip(found, corrected, strict=True)
    ]


def _ranked(scores: Mapping[str, Mapping[int, float]]) -> list[str]:
    return sorted(scores, key=lambda player: (-fmean(scores[player].values()), player))


def _place(
    own: Mapping[int, float], random: Mapping[int, float], reference: Mapping[int, float]
) -> float | None:
    """The anchored score. Seeds differ in how much they give, so only shared ones count."""
    shared = own.keys() & random.keys() & reference.keys()
    if not shared:
        return None
    means = [fmean(some[seed] for seed in shared) for some in (own, random, reference)]
    return anchored(*means)
