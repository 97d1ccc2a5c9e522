"""The rules of match-3: fifty swaps, a point for every tile that goes."""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.games.digest import digest_of
from goodput.arena.games.match3.board import SIZE, SWAPS, Board, matching_swaps, swapped
from goodput.arena.games.match3.cascade import at_rest, laid, playable
from goodput.arena.games.match3.view import draw_board, name_of, rows_of
from goodput.arena.games.rules import IllegalAction, Picture, Spec

LIMIT: Final = 50
"""Swaps a game."""


class Sweep(msgspec.Struct, frozen=True):
    """A board at rest, and the seed with how many numbers were drawn from it."""

    board: Board
    seed: int
    drawn: int
    swaps_left: int = LIMIT
    score: int = 0


class Match3:
    """Only swaps that match are legal; a board without one is shuffled at once."""

    spec = Spec(
        id="match3-v1",
        title="Match-3",
        actions=tuple(f"{name_of(first)}-{name_of(second)}" for first, second in SWAPS),
        frame_limit=36_000,
        step_limit=LIMIT,
        rules_text=(
            f"You play match-3 on a board of {SIZE} columns (a to h) and {SIZE} rows (1 at the "
            "top) with tiles of five colours: R, G, B, Y and P. A move swaps two neighbours, as in "
            "c4-d4, and must bring three or more of a colour in line. They go, tiles above fall "
            "down, new ones follow, and what matches then goes too. Every tile that goes is a "
            "point. Four in line leave a tile marked - that takes its row with it when it goes, or "
            "| for its column; five, an L or a T leave one marked * that takes the eight around "
            f"it. You have {LIMIT} swaps."
        ),
    )

    def reset(self, seed: int) -> Sweep:
        board, drawn = laid(seed, 0)
        return Sweep(board, seed, drawn)

    def step(self, state: Sweep, action: int, seat: int = 0) -> Sweep:
        if not 0 <= action < len(SWAPS):
            raise IllegalAction(f"there is no action {action}")
        if action not in self.legal(state):
            raise IllegalAction(f"{self.spec.actions[action]} matches nothing")
        rested = at_rest(swapped(state.board, action), SWAPS[action], state.seed, state.drawn)
        board, drawn = playable(rested.board, state.seed, rested.drawn)
        score = state.score + rested.cleared
        return Sweep(board, state.seed, drawn, state.swaps_left - 1, score)

    def frame(self, state: Sweep) -> Sweep:
        return state

    def legal(self, state: Sweep, seat: int = 0) -> list[int]:
        return matching_swaps(state.board) if state.swaps_left else []

    def to_act(self, state: Sweep) -> tuple[int, ...]:
        return (0,) if state.swaps_left else ()

    def over(self, state: Sweep) -> bool:
        return not state.swaps_left

    def score(self, state: Sweep, seat: int = 0) -> float:
        return float(state.score)

    def outcome(self, state: Sweep) -> tuple[float, ...]:
        return ()

    def text(self, state: Sweep, seat: int = 0) -> str:
        return "\n".join([_status(state), *rows_of(state.board)])

    def picture(self, state: Sweep, seat: int = 0) -> Picture:
        return draw_board(state.board, _status(state))

    def digest(self, state: Sweep) -> str:
        return digest_of(state.board, state.seed, state.drawn, state.swaps_left, state.score)


def _status(state: Sweep) -> str:
    return f"swaps left {state.swaps_left}  score {state.score}"
