"""The face of a way to steer a piece: the games are the same for all of them."""

from __future__ import annotations

from typing import Protocol

from goodput.arena.games.tetris.well import Well


class Controls(Protocol):
    """A fixed list of actions."""

    @property
    def words(self) -> tuple[str, ...]: ...

    @property
    def idle(self) -> int | None: ...

    @property
    def manual(self) -> str:
        """What the actions do, for a player that has never seen them."""

    def legal(self, well: Well) -> list[int]:
        """The actions that change something now (and the idle one), in increasing order. Only of a
        well that is not out."""

    def act(self, well: Well, action: int) -> Well | None:
        """The well after an action, or None where it is not legal. ``action`` is in the list."""
