"""What came of a run, by game, timing and player: as tables and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean
from typing import NamedTuple

import msgspec
from rich.table import Table

from goodput.arena.episode.figures import figures_of
from goodput.arena.episode.record import Episode
from goodput.arena.tournament.config import Config
from goodput.arena.tournament.crew import Crew

Seat = tuple[Episode, int]


class Contest(NamedTuple):
    """What is comparable."""

    game: str
    clock: str
    slow_down: float


def results_tables(episodes: Sequence[Episode]) -> Iterator[Table]:
    """A table a contest, a line a player."""
    for contest, players in _contests(episodes).items():
        slow = "" if contest.slow_down == 1 else f" × {contest.slow_down:g}"
        table = Table(title=f"{contest.game}, clock {contest.clock}{slow}", title_justify="left")
        table.add_column("player")
        for column in ("episodes", "score", "goodput, 1/s", "late", "stale p50", "illegal"):
            table.add_column(column, justify="right")
        for player, seats in players.items():
            figures = figures_of(seats)
            stale = figures.staleness_frames
            illegal = figures.fates.get("illegal", 0) / max(1, figures.decisions)
            table.add_row(
                player,
                str(figures.episodes),
                f"{_score(seats):.4g}",
                "–" if figures.goodput is None else f"{figures.goodput:.2f}",
                "–" if figures.late_share is None else f"{figures.late_share:.0%}",
                "–" if stale is None else f"{stale.p50:.0f}",
                f"{illegal:.0%}",
            )
        yield table


def results_json(config: Config, crew: Crew, *, stopped: bool) -> str:
    """The same as one JSON object, with the config and how far the run came."""
    tally = crew.tally
    rows = [
        {**contest._asdict(), "player": player, "score": _score(seats)}
        for contest, players in _contests(crew.episodes).items()
        for player, seats in players.items()
    ]
    answer = {
        "config": config,
        "tally": {"total": tally.total, "kept": tally.kept, "played": tally.played},
        "stopped": stopped,
        "players": rows,
    }
    return msgspec.json.encode(answer).decode()


def _contests(episodes: Sequence[Episode]) -> dict[Contest, dict[str, list[Seat]]]:
    found: dict[Contest, dict[str, list[Seat]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        header = episode.header
        contest = Contest(header.game, header.clock, header.slow_down)
        for seat, player in enumerate(header.players):
            found[contest][player].append((episode, seat))
    return found


def _score(seats: Sequence[Seat]) -> float:
    return mean(episode.end.scores[seat] for episode, seat in seats)
