"""Random play of every game, for tests to look at; as a program it prints where short walks end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from goodput.arena.games.registry import GAMES, RACE, make_game
from goodput.arena.games.rules import Rules
from goodput.arena.players.program import Draws

SINGLE: Final = tuple(game for game in GAMES if make_game(game).spec.seats == 1)
RACES: Final = tuple(f"{RACE}{game}" for game in SINGLE)
EVERY: Final = (*GAMES, *RACES)

FRAMES: Final = 3
"""That pass after each action of a game in real time."""


class Leg(NamedTuple):
    """What ``seat`` did, or with ``action`` None that a frame passed."""

    before: Any
    seat: int
    action: int | None
    after: Any


def walk(rules: Rules[Any], seed: int, steps: int) -> Iterator[Leg]:
    """So many actions from the first state of ``seed``, fewer where the game ends before."""
    state, draw = rules.reset(seed), Draws(seed)
    for _ in range(steps):
        seats = rules.to_act(state)
        if not seats:
            return
        seat = seats[draw(len(seats))]
        if legal := rules.legal(state, seat):
            action = legal[draw(len(legal))]
            after = rules.step(state, action, seat)
            yield Leg(state, seat, action, after)
            state = after
        for _ in range(FRAMES * rules.spec.realtime):
            after = rules.frame(state)
            yield Leg(state, seat, None, after)
            state = after


def states(rules: Rules[Any], seed: int, steps: int) -> list[Any]:
    """The states of a walk in their order, the first one included."""
    return [rules.reset(seed), *(leg.after for leg in walk(rules, seed, steps))]


def goals() -> list[str]:
    """Where a short walk of every game ends, as "tetris-v1 0123456789abcdef"."""
    games = [make_game(name) for name in EVERY]
    return [f"{rules.spec.id} {rules.digest(states(rules, 1, 6)[-1])}" for rules in games]


if __name__ == "__main__":
    print(*goals(), sep="\n")
