"""Plays a record again: every state of an episode, and whether it is what the record says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from goodput.arena.clocks import make_clock
from goodput.arena.clocks.base import ComputedClock
from goodput.arena.episode.record import End, Episode, Header, Move
from goodput.arena.games.rules import IllegalAction, Rules
from goodput.arena.players.base import Decision
from goodput.core.errors import UsageError


class Scene(NamedTuple):
    """The state at a frame: after ``move``, or, with None, after the frame passed (or at the
    start)."""

    frame: int
    state: Any
    move: Move | None


class Difference(NamedTuple):
    """Where a record and the rules part: the index of the move, None for the end, and how."""

    move: int | None
    words: str

    def __str__(self) -> str:
        where = "the end" if self.move is None else f"move {self.move + 1}"
        return f"{where} differs: {self.words}"


def scenes(rules: Rules[Any], episode: Episode) -> Iterator[Scene]:
    """Every state of the episode in order: the first one, one for each frame, one for each move.

    Raises UsageError when the record is of another game, and IllegalAction where the rules refuse
    a move that the record applied.
    """
    if rules.spec.id != episode.header.game:
        raise UsageError(f"the record is of {episode.header.game}, not of {rules.spec.id}")
    state, frame = rules.reset(episode.header.seed), 0
    yield Scene(frame, state, None)
    for move in episode.moves:
        while frame < move.frame:
            state, frame = rules.frame(state), frame + 1
            yield Scene(frame, state, None)
        if move.action is not None and move.seat not in range(rules.spec.seats):
            raise IllegalAction(f"there is no seat {move.seat}")
        if move.action is not None:
            state = rules.step(state, move.action, move.seat)
        yield Scene(frame, state, move)
    while frame < episode.end.frames:
        state, frame = rules.frame(state), frame + 1
        yield Scene(frame, state, None)


def find_difference(rules: Rules[Any], episode: Episode) -> Difference | None:
    """The first move at which re-simulating does not give what the record says, else the end where
    that differs; None when all is equal, bit for bit.

    Raises UsageError when the record is of another game.
    """
    timing = _Timing(episode.header)
    index, last = 0, None
    try:
        for last in scenes(rules, episode):
            if last.move is None:
                continue
            words = timing.complaint(last.move) or _state_complaint(rules, last)
            if last.frame != last.move.frame:
                words = f"it is at frame {last.move.frame}, after one at frame {last.frame}"
            if words is not None:
                return Difference(index, words)
            index += 1
    except IllegalAction:
        return Difference(index, "the rules do not allow it")
    assert last is not None
    words = _end_complaint(rules, last, episode.end)
    return None if words is None else Difference(None, words)


class _Timing:
    """Whether moves came when the clock says; what the wall clock saw is taken as it is."""

    def __init__(self, header: Header) -> None:
        clock = make_clock(
            header.clock,
            slow_down=header.slow_down,
            ttft_s=header.token_ttft_s,
            tokens_per_s=header.token_rate,
        )
        self._clock = clock if isinstance(clock, ComputedClock) else None

    def complaint(self, move: Move) -> str | None:
        # A forfeit may come before its answer: the time was up.
        if self._clock is None or move.fate == "forfeit":
            return None
        cost = Decision(
            action=None,
            latency_s=move.latency_s,
            calls=move.calls,
            output_tokens=move.output_tokens,
        )
        due = move.asked_frame + self._clock.frames(cost)
        if due == move.frame:
            return None
        return f"by its cost it counts at frame {due}, not {move.frame}"


def _state_complaint(rules: Rules[Any], scene: Scene) -> str | None:
    assert scene.move is not None
    digest = rules.digest(scene.state)
    if digest == scene.move.digest:
        return None
    return f"the state is {digest}, not {scene.move.digest}"


def _end_complaint(rules: Rules[Any], last: Scene, end: End) -> str | None:
    scores = tuple(float(rules.score(last.state, seat)) for seat in range(rules.spec.seats))
    digest = rules.digest(last.state)
    if last.frame != end.frames:
        return f"it is at frame {end.frames}, after a move at frame {last.frame}"
    if digest != end.digest:
        return f"the state is {digest}, not {end.digest}"
    if scores != end.scores:
        return f"the scores are {scores}, not {end.scores}"
    if end.reason == "over" and not rules.over(last.state):
        return "the game is not over"
    return None
