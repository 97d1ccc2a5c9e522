"""The players of a tournament while it runs: as many instances of each as it has at boards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from goodput.arena.players.base import Player
from goodput.arena.tournament.config import Entrant


class Roster:
    """Makes players when they are needed and keeps them: what one has learned about its server, and
    its connections, serve its next episode. Owns them until :meth:`close`."""

    def __init__(self, entrants: Sequence[Entrant]) -> None:
        self._entrants = entrants
        self._idle: list[list[Player]] = [[] for _ in entrants]

    @contextmanager
    def seated(self, seats: Sequence[int]) -> Iterator[list[Player]]:
        """An instance of each of these entrants, for one episode; nobody else has them within."""
        taken = [
            (seat, self._idle[seat].pop() if self._idle[seat] else self._entrants[seat].make())
            for seat in seats
        ]
        try:
            yield [player for _, player in taken]
        finally:
            for seat, player in taken:
                self._idle[seat].append(player)

    async def close(self) -> None:
        """Close every player; none may be at a board."""
        for players in self._idle:
            while players:
                await players.pop().close()
