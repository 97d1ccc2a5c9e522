"""A game and a player of which every number can be worked out by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from goodput.arena.games.digest import digest_of
from goodput.arena.games.rules import IllegalAction, Picture, Spec
from goodput.arena.players.base import Decision, Observation


class Count(msgspec.Struct, frozen=True):
    """Frames so far, points of each seat, and whose turn it is."""

    frames: int = 0
    points: tuple[int, ...] = (0,)
    turn: int = 0


class Counting:
    """Actions "zero", "one" and "two" score that many points, "never" is never legal.

    In real time what is seen changes every ``changes`` frames; ``seats`` 2 without ``realtime`` is
    a game of turns. It is over at ``end`` frames.
    """

    def __init__(
        self,
        *,
        realtime: bool = True,
        seats: int = 1,
        late: str = "apply",
        changes: int = 10,
        end: int = 60,
        frame_limit: int = 600,
        step_limit: int = 50,
    ) -> None:
        self._changes, self._end = changes, end
        self.spec = Spec(
            id="counting-v1",
            title="Counting",
            actions=("zero", "one", "two", "never"),
            seats=seats,
            realtime=realtime,
            late=late,
            frame_limit=frame_limit,
            step_limit=step_limit,
            rules_text="Say a number.",
        )

    def reset(self, seed: int) -> Count:
        return Count(points=(0,) * self.spec.seats)

    def step(self, state: Count, action: int, seat: int = 0) -> Count:
        if action not in self.legal(state, seat):
            raise IllegalAction(str(action))
        points = list(state.points)
        points[seat] += action
        return Count(state.frames, tuple(points), (state.turn + 1) % self.spec.seats)

    def frame(self, state: Count) -> Count:
        return msgspec.structs.replace(state, frames=state.frames + 1)

    def legal(self, state: Count, seat: int = 0) -> list[int]:
        return [0, 1, 2] if seat in self.to_act(state) else []

    def to_act(self, state: Count) -> tuple[int, ...]:
        if self.over(state):
            return ()
        if self.spec.realtime or self.spec.seats == 1:
            return tuple(range(self.spec.seats))
        return (state.turn,)

    def over(self, state: Count) -> bool:
        return self.spec.realtime and state.frames >= self._end

    def score(self, state: Count, seat: int = 0) -> float:
        return float(state.points[seat])

    def outcome(self, state: Count) -> tuple[float, ...]:
        return ()

    def text(self, state: Count, seat: int = 0) -> str:
        return str(state.frames // self._changes)

    def picture(self, state: Count, seat: int = 0) -> Picture:
        return np.zeros((4, 4, 3), np.uint8)

    def digest(self, state: Count) -> str:
        return digest_of(state.frames, state.points, state.turn)


Answer = Decision | Callable[[Observation], Decision]


class Scripted:
    """Gives its answers one after the other, the last one again and again; ``asked`` notes at which
    frame of :class:`Counting` each question was put."""

    harness: tuple[str, ...] = ()

    def __init__(self, *answers: Answer, label: str = "scripted") -> None:
        self.label = label
        self._answers: Sequence[Answer] = answers
        self.asked: list[int] = []
        self.seeds: list[int] = []
        self.cancelled = 0

    async def decide(self, observation: Observation) -> Decision:
        state: Any = observation.state
        self.asked.append(getattr(state, "frames", -1))
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        decision = answer(observation) if callable(answer) else msgspec.structs.replace(answer)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return decision

    async def reset(self, seed: int) -> None:
        self.seeds.append(seed)

    async def close(self) -> None:
        """Nothing is held."""


def after(seconds: float, action: int | None = 1, **more: Any) -> Decision:
    """An answer that took so long."""
    return Decision(action=action, latency_s=seconds, **more)
