"""Real time: the game runs at 60 Hz while the players think."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import ClassVar

from goodput.arena.clocks.base import Question
from goodput.arena.episode.record import ClockKind
from goodput.arena.games.rules import FRAMES_PER_SECOND
from goodput.core.clock import Clock as Seconds
from goodput.core.clock import MonotonicClock


class WallClock:
    """Frame n begins n / 60 s after the start, times 1 / ``slow_down``: a latency then spans that
    many times as many frames.

    A process that was held up catches up in one go: a frame's time never moves.
    """

    kind: ClassVar[ClockKind] = "wall"

    def __init__(self, slow_down: float = 1.0, seconds: Seconds | None = None) -> None:
        self.slow_down = slow_down
        self._seconds = MonotonicClock() if seconds is None else seconds
        self._rate = FRAMES_PER_SECOND * slow_down
        self._began = 0.0

    def start(self) -> None:
        self._began = self._seconds.now()

    async def wait(self, questions: Sequence[Question], frame: int, horizon: int) -> int:
        """As the face says. Comes back at every frame, so that the game is seen to run, and does
        not hold it back at ``horizon``: real time has passed."""
        thinking = [question.answer for question in questions if question.due is None]
        to_next = max(0.0, (frame + 1) / self._rate - self._elapsed())
        if thinking:
            await asyncio.wait(thinking, timeout=to_next, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(to_next)
        now = max(frame, math.floor(self._elapsed() * self._rate))
        for question in questions:
            if question.due is None and question.answer.done():
                # An answer counts at the first frame that begins after it came.
                question.due = now + 1
        return now

    def _elapsed(self) -> float:
        return self._seconds.now() - self._began
