"""What a player remembers of its last moves."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from goodput.arena.players.base import Decision, Observation

STEPS: Final = 10


class Step(msgspec.Struct):
    """One own move: its number, the word, the score before it, and what came of it by the next
    question (None until then)."""

    turn: int
    word: str
    score: float
    gained: float | None = None

    def line(self) -> str:
        """The step in a few words."""
        result = "" if self.gained is None else f" -> score {self.gained:+g}"
        return f"move {self.turn + 1}: {self.word}{result}"


class Memory:
    """The last ten moves of an episode and how the score changed after each. Costs no call; what it
    says lengthens the prompt of those who read it."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=STEPS)

    def look(self, observation: Observation) -> None:
        """Take in a new question: what the last move led to is known now."""
        if self._steps and self._steps[-1].gained is None:
            last = self._steps[-1]
            last.gained = self._score(observation) - last.score

    def keep(self, observation: Observation, decision: Decision) -> None:
        """Take in the answer that was given to a question."""
        words = observation.rules.spec.actions
        word = "no readable move"
        if decision.action is not None:
            word = words[decision.action]
        elif decision.illegal is not None:
            word = f"{decision.illegal} (not possible)"
        self._steps.append(Step(observation.turn, word, self._score(observation)))

    def text(self) -> str:
        """A line for each move, the oldest first; empty at an episode's start."""
        return "\n".join(step.line() for step in self._steps)

    def _score(self, observation: Observation) -> float:
        return float(observation.rules.score(observation.state, observation.seat))
