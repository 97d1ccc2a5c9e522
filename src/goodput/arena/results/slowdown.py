"""What latency costs: the score that is kept against a clock that waits, by clock and slow-down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from statistics import fmean

import msgspec

from goodput.arena.episode.figures import figures_of
from goodput.arena.results.contests import Contest, Seat, by_seed
from goodput.arena.results.statistics import Interval, mean_interval, ratio_interval


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A player under one timing. ``kept`` is its score over that under the paused clock on the same
    seeds; None where it did not play paused, or scored nothing there. ``kept_interval`` resamples
    those seeds; None of one seed, or where one gave nothing paused."""

    game: str
    player: str
    timing: str
    slow_down: float
    score: float
    interval: Interval | None
    kept: float | None
    kept_interval: Interval | None
    goodput: float | None
    stale_p50: float | None
    late_share: float | None


def kept_scores(contests: Mapping[Contest, Mapping[str, Sequence[Seat]]]) -> list[Kept]:
    """A row for each game, player and timing where a game was played under several."""
    games = {contest.game for contest in contests}
    timings = {game: [x for x in contests if x.game == game] for game in games}
    rows = []
    for contest in sorted(contests):
        if len(timings[contest.game]) < 2:
            continue
        paused = next((x for x in timings[contest.game] if x.clock == "paused"), None)
        for player, seats in sorted(contests[contest].items()):
            scores = by_seed(seats)
            waits = by_seed(contests[paused].get(player, [])) if paused is not None else {}
            shared = sorted(scores.keys() & waits.keys())
            now, then = [scores[seed] for seed in shared], [waits[seed] for seed in shared]
            figures = figures_of(seats)
            stale = figures.staleness_frames
            rows.append(
                Kept(
                    game=contest.game,
                    player=player,
                    timing=contest.timing,
                    slow_down=contest.slow_down,
                    score=fmean(scores.values()),
                    interval=mean_interval(list(scores.values())),
                    kept=fsum(now) / fsum(then) if fsum(then) > 0 else None,
                    kept_interval=ratio_interval(now, then),
                    goodput=figures.goodput,
                    stale_p50=None if stale is None else stale.p50,
                    late_share=figures.late_share,
                )
            )
    return rows
