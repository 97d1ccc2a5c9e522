"""Which episodes can be compared: the same game under the same clock."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

import msgspec

from goodput.arena.episode.record import ClockKind, Episode

Seat = tuple[Episode, int]
"""An episode, and the seat that a player had in it."""


class Contest(msgspec.Struct, frozen=True, order=True):
    """What is comparable. ``timing`` is the clock in words, its speed included."""

    game: str
    clock: ClockKind
    slow_down: float
    timing: str


def contests(episodes: Iterable[Episode]) -> dict[Contest, dict[str, list[Seat]]]:
    """The seats of each player by contest; contests and players in the order of first sight."""
    found: dict[Contest, dict[str, list[Seat]]] = {}
    for episode in episodes:
        players = found.setdefault(contest_of(episode), {})
        for seat, player in enumerate(episode.header.players):
            players.setdefault(player, []).append((episode, seat))
    return found


def contest_of(episode: Episode) -> Contest:
    """The contest that an episode belongs to."""
    header = episode.header
    said: list[str] = [header.clock]
    if header.token_ttft_s is not None and header.token_rate is not None:
        said.append(f"{header.token_ttft_s * 1e3:g} ms + {header.token_rate:g} tokens/s")
    if header.slow_down != 1.0:
        said.append(f"× {header.slow_down:g}")
    return Contest(header.game, header.clock, header.slow_down, " ".join(said))


def by_seed(seats: Iterable[Seat]) -> dict[int, float]:
    """A player's mean score on each seed: what is paired with other players' on the same seed."""
    return _means_by_seed((episode.header.seed, _score(episode, seat)) for episode, seat in seats)


def game_points(seats: Iterable[Seat]) -> float:
    """The mean of the game's own points (chips, lines, distance), each seed counting alike."""
    points = ((episode.header.seed, episode.end.scores[seat]) for episode, seat in seats)
    return fmean(_means_by_seed(points).values())


def _score(episode: Episode, seat: int) -> float:
    """In a game of two what the game was worth (1, 0.5, 0): the game's own points stand as they
    were when somebody forfeits, so that breaking the rules while ahead would pay."""
    return (episode.end.outcome or episode.end.scores)[seat]


def _means_by_seed(values: Iterable[tuple[int, float]]) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for seed, value in values:
        found.setdefault(seed, []).append(value)
    return {seed: fmean(some) for seed, some in sorted(found.items())}
