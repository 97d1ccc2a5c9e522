"""Games between two players, one by one and pair by pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import msgspec

from goodput.arena.episode.record import Episode
from goodput.arena.results.statistics import holm, sign_flip_p


class Result(msgspec.Struct, frozen=True):
    """One game: who sat where, what the first seat got (1, 0.5, 0), on which seed, and who, if
    anybody, forfeited: that is a lost game like any other."""

    first: str
    second: str
    points: float
    seed: int
    forfeited_by: str | None = None

    def points_of(self, player: str) -> float:
        """What a player of this game got."""
        return self.points if player == self.first else 1 - self.points


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """All games of two players, as ``first`` saw them. ``wins``, ``draws`` and ``losses`` add up to
    the games; ``forfeits`` of them were lost by ``first`` through a forfeit, ``forfeits_won``
    through one of ``second``. ``p`` is that of equal players, paired by seed, corrected for all
    meetings of the contest (Holm)."""

    first: str
    second: str
    seeds: int
    wins: int
    draws: int
    losses: int
    forfeits: int
    forfeits_won: int
    p: float


def results_of(episodes: Iterable[Episode]) -> list[Result]:
    """The games of two seats between different players, by seed; whatever order they came in."""
    found = []
    for episode in episodes:
        players, end = episode.header.players, episode.end
        if len(players) == 2 and players[0] != players[1]:
            loser = None if end.forfeited_by is None else players[end.forfeited_by]
            found.append(Result(*players, end.outcome[0], episode.header.seed, loser))
    return sorted(found, key=lambda game: (game.seed, game.first, game.second, game.points))


def meetings_of(results: Iterable[Result], ranked: Sequence[str]) -> list[Meeting]:
    """A line for each two players that met, in the order of ``ranked``, which names everybody."""
    place = {player: index for index, player in enumerate(ranked)}
    met: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        better, worse = sorted((result.first, result.second), key=place.__getitem__)
        met.setdefault((better, worse), []).append(result)
    pairs = sorted(met, key=lambda pair: (place[pair[0]], place[pair[1]]))
    chances = holm([_chance(met[pair], pair[0]) for pair in pairs])
    return [_meeting(pair, met[pair], p) for pair, p in zip(pairs, chances, strict=True)]


def _meeting(pair: tuple[str, str], games: Sequence[Result], p: float) -> Meeting:
    first, second = pair
    points = [game.points_of(first) for game in games]
    losers = [game.forfeited_by for game in games]
    return Meeting(
        first=first,
        second=second,
        seeds=len({game.seed for game in games}),
        wins=points.count(1.0),
        draws=points.count(0.5),
        losses=points.count(0.0),
        forfeits=losers.count(first),
        forfeits_won=losers.count(second),
        p=p,
    )


def _chance(games: Iterable[Result], player: str) -> float:
    """The games of a seed, seats swapped, are one sample: what they gave above one half each."""
    seeds: dict[int, list[float]] = {}
    for game in games:
        seeds.setdefault(game.seed, []).append(game.points_of(player) - 0.5)
    return sign_flip_p([fmean(above) for above in seeds.values()])
