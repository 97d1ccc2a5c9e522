"""What an emulated game needs of its emulator."""

from __future__ import annotations

from typing import Protocol

import msgspec

from goodput.arena.games.rules import Picture


class Seen(msgspec.Struct, frozen=True):
    """What a frame showed. ``text`` is the screen in characters; ``memory`` a digest of the
    machine's memory, by which two moments are told apart."""

    score: float
    over: bool
    text: str
    memory: str


class Console(Protocol):
    """A machine with one game in it, which runs forwards only. Owned by one ``EmulatedGame``."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The buttons that may be held, in words; the first is none."""

    def reset(self, seed: int) -> Seen:
        """Switch it on; the same seed shows the same."""

    def advance(self, action: int) -> Seen:
        """Run one frame of a sixtieth of a second with these buttons held."""

    def picture(self) -> Picture:
        """The screen as it is, a copy, at most 400 pixels a side."""
