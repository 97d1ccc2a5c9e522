"""The player that looks one step ahead."""

from __future__ import annotations

from typing import Final

from goodput.arena.players.base import Observation
from goodput.arena.players.program import Program

_FRAMES: Final = 15


class GreedyPlayer(Program):
    """The action after which it stands best at once, by the real rules; in real time a quarter of
    a second later, nobody else having acted.

    A won game counts before points, and points before chance; against another seat it is the lead
    that counts. What the game will draw next is known to the rules, so also to this player.
    """

    label = "greedy"

    def choose(self, observation: Observation) -> int:
        standings = [self._standing(observation, action) for action in observation.legal]
        best = max(standings)
        equals = [
            action
            for action, standing in zip(observation.legal, standings, strict=True)
            if standing == best
        ]
        return equals[self.draw(len(equals))]

    def _standing(self, observation: Observation, action: int) -> tuple[float, float]:
        rules, seat = observation.rules, observation.seat
        after = rules.step(observation.state, action, seat)
        for _ in range(_FRAMES if rules.spec.realtime else 0):
            after = rules.frame(after)
        if rules.spec.seats == 1:
            return 0.0, rules.score(after, 0)
        lead = rules.score(after, seat) - rules.score(after, 1 - seat)
        decided = rules.outcome(after)
        return decided[seat] if decided else 0.5, lead
