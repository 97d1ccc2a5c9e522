"""Which moments of an episode a film shows, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from goodput.arena.episode.record import Episode, Move
from goodput.arena.episode.replay import Scene, scenes
from goodput.arena.films.caption import captioned
from goodput.arena.games.drawing import canvas
from goodput.arena.games.race import Race
from goodput.arena.games.rules import FRAMES_PER_SECOND, Picture, Rules

FRAME_RATE: Final = 15
"""Pictures a second of a film."""
LONGEST_S: Final = 40.0
"""A longer episode is shown faster."""
_MOVE_S: Final = 0.4
_LAST_S: Final = 2.0
_GAP: Final = 8


class Shot(NamedTuple):
    """A moment: the state, each seat's last move, and how many pictures it stays."""

    state: Any
    last: tuple[Move | None, ...]
    pictures: int


def film(rules: Rules[Any], episode: Episode) -> Iterator[Picture]:
    """The pictures of an episode, all of one size (height, width, 3), ``FRAME_RATE`` a second.

    A real-time game is shown as it ran, another one a move at a time; both so fast that the film
    ends within ``LONGEST_S``. Raises what :func:`~goodput.arena.episode.replay.scenes` does.
    """
    shots = _real_time(rules, episode) if rules.spec.realtime else _by_moves(rules, episode)
    for shot in shots:
        scores = tuple(float(rules.score(shot.state, seat)) for seat in range(rules.spec.seats))
        seen = captioned(_seen(rules, shot.state), episode.header.players, scores, shot.last)
        for _ in range(shot.pictures):
            yield seen


def _real_time(rules: Rules[Any], episode: Episode) -> Iterator[Shot]:
    """Every so many game frames one picture."""
    seconds = episode.end.frames / FRAMES_PER_SECOND
    faster = max(1.0, seconds / LONGEST_S)
    stride = faster * FRAMES_PER_SECOND / FRAME_RATE
    shown = 0
    for scene, last in _with_last_moves(rules, episode):
        if scene.frame >= shown * stride:
            shown += 1
            yield Shot(scene.state, last, 1)
    yield Shot(scene.state, last, round(_LAST_S * FRAME_RATE))


def _by_moves(rules: Rules[Any], episode: Episode) -> Iterator[Shot]:
    """One picture a move, or, where there are too many, every so many moves."""
    each = min(_MOVE_S, LONGEST_S / max(1, len(episode.moves)))
    pictures = max(1, round(each * FRAME_RATE))
    stride = max(1, round(pictures / FRAME_RATE * len(episode.moves) / LONGEST_S))
    moves = 0
    for scene, last in _with_last_moves(rules, episode):
        if scene.move is None:
            if scene.frame == 0:
                yield Shot(scene.state, last, pictures)
            continue
        moves += 1
        if moves % stride == 0:
            yield Shot(scene.state, last, pictures)
    yield Shot(scene.state, last, round(_LAST_S * FRAME_RATE))


def _with_last_moves(
    rules: Rules[Any], episode: Episode
) -> Iterator[tuple[Scene, tuple[Move | None, ...]]]:
    last: list[Move | None] = [None] * rules.spec.seats
    for scene in scenes(rules, episode):
        if scene.move is not None:
            last[scene.move.seat] = scene.move
        yield scene, tuple(last)


def _seen(rules: Rules[Any], state: Any) -> Picture:
    """What the first seat sees; of a race both sides, next to each other."""
    first = rules.picture(state, 0)
    if not isinstance(rules, Race):
        return first
    second = rules.picture(state, 1)
    gap = canvas(first.shape[0], _GAP, (0, 0, 0))
    return np.concatenate((first, gap, second), axis=1)
