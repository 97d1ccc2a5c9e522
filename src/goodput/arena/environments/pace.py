"""An episode that goes on only when its seats act: what all the environments have in common."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from goodput.arena.episode.runner import CADENCE
from goodput.arena.games.rules import IllegalAction, Rules
from goodput.core.errors import UsageError


class PacedGame:
    """A game in which ``frame_skip`` frames pass a step if it is in real time, and none if not. In
    between, time stands still, as under the paused clock.

    After ``begin``: ``state``; ``frames`` that have passed; ``seed`` of the episode; by seat the
    ``legal`` actions; ``illegal``, the seats that last tried something else.
    """

    state: Any
    seed: int
    frames: int
    legal: list[list[int]]
    illegal: set[int]

    def __init__(self, rules: Rules[Any], frame_skip: int = CADENCE) -> None:
        """Raises UsageError where ``frame_skip`` is below 1."""
        if frame_skip < 1:
            raise UsageError(f"frame_skip: {frame_skip} is less than one frame a step")
        self.rules = rules
        self._frame_skip = frame_skip
        self._seats = range(rules.spec.seats)
        self._steps = [0 for _ in self._seats]

    def begin(self, seed: int) -> None:
        """Start the episode of ``seed``, the same that any player meets with it."""
        self.state = self.rules.reset(seed)
        self.seed = seed
        self.frames = 0
        self.illegal = set()
        self._steps = [0 for _ in self._seats]
        self._find_legal()

    def act(self, actions: Mapping[int, int]) -> list[float]:
        """Let seats act in their order, then frames pass. Returns what each seat gained in points.

        An illegal action changes nothing, takes its time and counts as a step.
        """
        before = self._scores()
        self.illegal = {seat for seat, action in actions.items() if action not in self.legal[seat]}
        for seat in sorted(actions.keys() - self.illegal):
            # What the seat before it did may have made it impossible.
            with suppress(IllegalAction):
                self.state = self.rules.step(self.state, actions[seat], seat)
        for seat in actions:
            self._steps[seat] += 1
        self._let_frames_pass()
        self._find_legal()
        return [after - points for after, points in zip(self._scores(), before, strict=True)]

    @property
    def over(self) -> bool:
        """Whether the episode has ended by the game's rules."""
        return self.rules.over(self.state)

    @property
    def truncated(self) -> bool:
        """Whether the episode has ended by a limit: time is up, or no seat has an action left."""
        spec = self.rules.spec
        if self.over:
            return False
        acting = self.rules.to_act(self.state)
        return self.frames >= spec.frame_limit or all(
            self._steps[seat] >= spec.step_limit for seat in acting
        )

    def _let_frames_pass(self) -> None:
        spec = self.rules.spec
        if not spec.realtime:
            return
        until = min(self.frames + self._frame_skip, spec.frame_limit)
        while self.frames < until and not self.over:
            self.state = self.rules.frame(self.state)
            self.frames += 1

    def _find_legal(self) -> None:
        self.legal = [self.rules.legal(self.state, seat) for seat in self._seats]

    def _scores(self) -> list[float]:
        return [self.rules.score(self.state, seat) for seat in self._seats]
