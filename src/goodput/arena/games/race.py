"""Races: two players in the same game with the same seed, each on its own; more points win."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np

from goodput.arena.games.digest import digest_of
from goodput.arena.games.drawing import Colour, canvas, write
from goodput.arena.games.font import GLYPH_HEIGHT
from goodput.arena.games.rules import IllegalAction, Picture, Rules

_STRIP: Final = GLYPH_HEIGHT + 6
_BACKGROUND: Final[Colour] = (24, 24, 30)
_INK: Final[Colour] = (230, 230, 235)


class Pair(msgspec.Struct, frozen=True):
    """The two sides' states; neither can touch the other's."""

    sides: tuple[Any, Any]


class Race:
    """``game`` (of one seat) for two. A side that is over waits for the other: points decide."""

    def __init__(self, game: Rules[Any]) -> None:
        if game.spec.seats != 1:
            raise ValueError(f"{game.spec.id} has {game.spec.seats} seats: a race is for one")
        self.game = game
        self.spec = msgspec.structs.replace(
            game.spec,
            id=f"race-{game.spec.id}",
            title=f"{game.spec.title}, a race",
            seats=2,
            rules_text=f"{game.spec.rules_text} An opponent plays the same game: more points win.",
        )

    def reset(self, seed: int) -> Pair:
        return Pair((self.game.reset(seed), self.game.reset(seed)))

    def step(self, state: Pair, action: int, seat: int = 0) -> Pair:
        if self.over(state):
            raise IllegalAction("the race is over")
        after = self.game.step(state.sides[seat], action)
        return Pair((after, state.sides[1]) if seat == 0 else (state.sides[0], after))

    def frame(self, state: Pair) -> Pair:
        first, second = state.sides
        after = self.game.frame(first), self.game.frame(second)
        return state if after[0] is first and after[1] is second else Pair(after)

    def legal(self, state: Pair, seat: int = 0) -> list[int]:
        return self.game.legal(state.sides[seat])

    def to_act(self, state: Pair) -> tuple[int, ...]:
        return tuple(seat for seat in (0, 1) if self.game.to_act(state.sides[seat]))

    def over(self, state: Pair) -> bool:
        return all(self.game.over(side) for side in state.sides)

    def score(self, state: Pair, seat: int = 0) -> float:
        return self.game.score(state.sides[seat])

    def outcome(self, state: Pair) -> tuple[float, ...]:
        if not self.over(state):
            return ()
        lead = self.score(state, 0) - self.score(state, 1)
        first = 0.5 if lead == 0 else float(lead > 0)
        return first, 1 - first

    def text(self, state: Pair, seat: int = 0) -> str:
        return f"{self.game.text(state.sides[seat])}\n{self._rival(state, seat)}"

    def picture(self, state: Pair, seat: int = 0) -> Picture:
        own = self.game.picture(state.sides[seat])
        strip = canvas(_STRIP, own.shape[1], _BACKGROUND)
        write(strip, 3, 4, self._rival(state, seat), _INK)
        return np.concatenate((own, strip))

    def digest(self, state: Pair) -> str:
        return digest_of(*map(self.game.digest, state.sides))

    def _rival(self, state: Pair, seat: int) -> str:
        other = state.sides[1 - seat]
        done = " (done)" if self.game.over(other) else ""
        return f"opponent: {self.game.score(other):.12g}{done}"
