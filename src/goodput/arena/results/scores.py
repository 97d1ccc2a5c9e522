"""Scores of one contest, player by player and pair by pair; everything is paired by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import msgspec

from goodput.arena.episode.figures import Figures, figures_of
from goodput.arena.results.contests import Seat, by_seed
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
    """A player in a contest. ``score`` is the mean over seeds; ``anchored`` puts it between the
    random player (0) and the search player (1) of the same contest, and ``delta`` is Glass's delta
    against the random one; None where those did not play."""

    player: str
    seeds: int
    score: float
    interval: Interval | None
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
    means = {player: _mean(found) for player, found in scores.items()}
    random = list(scores[RANDOM].values()) if RANDOM in scores else []
    rows = []
    for player, seats in players.items():
        own = list(scores[player].values())
        figures = figures_of(seats)
        place = None
        if RANDOM in means and REFERENCE in means:
            place = anchored(means[player], means[RANDOM], means[REFERENCE])
        rows.append(
            Row(
                player=player,
                seeds=len(own),
                score=means[player],
                interval=mean_interval(own),
                anchored=place,
                delta=glass_delta(own, random) if player != RANDOM else None,
                goodput=figures.goodput,
                late_share=figures.late_share,
                figures=figures,
            )
        )
    return sorted(rows, key=lambda row: -row.score)


def comparisons_of(players: Mapping[str, Sequence[Seat]]) -> list[Comparison]:
    """Every pair of players that has seeds in common."""
    scores = {player: by_seed(seats) for player, seats in players.items()}
    found = []
    for first, second in combinations(scores, 2):
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
            difference=sum(differences) / len(differences),
            interval=mean_interval(differences),
            p=p,
        )
        for (first, second, differences, _), p in zip(found, corrected, strict=True)
    ]


def _mean(scores: Mapping[int, float]) -> float:
    return sum(scores.values()) / len(scores)
