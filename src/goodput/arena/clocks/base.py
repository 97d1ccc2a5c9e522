"""The face of a clock, and what the three share that compute game time instead of living it."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from goodput.arena.episode.record import ClockKind
from goodput.arena.games.rules import FRAMES_PER_SECOND
from goodput.arena.players.base import Decision


@dataclass(slots=True, eq=False)
class Question:
    """A seat that thinks: what it was asked about, at which game frame, and its answer to come.

    ``due`` is the frame at which the answer counts; a clock sets it once the answer is known.
    """

    seat: int
    asked_frame: int
    state: Hashable
    legal: tuple[int, ...]
    answer: asyncio.Task[Decision]
    due: int | None = None


class Clock(Protocol):
    """Belongs to one episode at a time."""

    @property
    def kind(self) -> ClockKind: ...

    @property
    def slow_down(self) -> float:
        """What latencies are multiplied by before they become frames; 1 is as measured."""

    def start(self) -> None:
        """Frame 0 begins now."""

    async def wait(self, questions: Sequence[Question], frame: int, horizon: int) -> int:
        """The frame (at least ``frame``, where the game stands) that the game may go on to: no
        answer is due before it but those whose ``due`` is set by now. ``horizon`` is the first
        frame that matters for another reason; a computed clock never passes it.

        Cancelling leaves the questions running.
        """


class ComputedClock(ABC):
    """The game stands still while players think; then their thinking is charged in frames.

    All answers that are awaited become known before the game goes on, so what is charged does not
    depend on who was asked first, and a record replays exactly.
    """

    kind: ClassVar[ClockKind]

    def __init__(self, slow_down: float = 1.0) -> None:
        self.slow_down = slow_down

    @abstractmethod
    def thinking_s(self, decision: Decision) -> float:
        """Seconds that the decision is said to have taken, before the slow-down."""

    def start(self) -> None:  # noqa: B027 - nothing to start is the rule
        """Game time is computed: nothing runs."""

    def frames(self, decision: Decision) -> int:
        """Game frames that pass before the decision counts."""
        return frames_of(self.thinking_s(decision) * self.slow_down)

    async def wait(self, questions: Sequence[Question], frame: int, horizon: int) -> int:
        if questions:
            await asyncio.wait([question.answer for question in questions])
        for question in questions:
            question.due = question.asked_frame + self.frames(question.answer.result())
        return min([horizon, *(question.due for question in questions if question.due is not None)])


def frames_of(seconds: float) -> int:
    """Whole frames that cover ``seconds``: an answer counts at the first frame after it came.

    A hundred-thousandth of a frame is forgiven, so that 0.05 s are 3 frames whatever the rounding.
    """
    return max(0, math.ceil(seconds * FRAMES_PER_SECOND - 1e-5))
