"""The player that anchors the low end of the scale."""

from __future__ import annotations

from goodput.arena.players.base import Observation
from goodput.arena.players.program import Program


class RandomPlayer(Program):
    """Any legal action, all equally likely."""

    label = "random"

    def choose(self, observation: Observation) -> int:
        return observation.legal[self.draw(len(observation.legal))]
