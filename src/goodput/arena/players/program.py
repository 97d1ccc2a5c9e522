"""Players that are programs: they think in no time on every clock but the wall's, and draw their
random numbers from the episode's seed, so their episodes are the same on any machine."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from goodput.arena.games.chance import draw
from goodput.arena.players.base import Decision, Observation


class Draws:
    """The random numbers of one seed, one after the other."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, bound: int) -> int:
        """The next number, in [0, bound)."""
        number = draw(self._seed, self._drawn, bound)
        self._drawn += 1
        return number


class Program(ABC):
    """A player whose decisions cost nothing; a subclass says which action it takes."""

    label: str
    harness: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.draw = Draws(0)

    @abstractmethod
    def choose(self, observation: Observation) -> int:
        """One of the legal actions. Called on a thread: it may take its time."""

    async def decide(self, observation: Observation) -> Decision:
        # A long search must not hold up the streams and the clock of the other seat.
        return Decision(action=await asyncio.to_thread(self.choose, observation))

    async def reset(self, seed: int) -> None:
        self.draw = Draws(seed)

    async def close(self) -> None:  # noqa: B027 - holding nothing is the rule, not a gap
        """Nothing is held."""
