"""Tic-tac-toe: three in line on a 3×3 board.

The seed lays the first cross, so that seeds are different games even between players that leave
nothing to chance. With best play each of them is a draw.
"""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.games.chance import draw
from goodput.arena.games.digest import digest_of
from goodput.arena.games.drawing import Colour, canvas, rectangle, write
from goodput.arena.games.rules import IllegalAction, Picture, Spec

SIZE: Final = 3
CELLS: Final = SIZE * SIZE
FULL: Final = (1 << CELLS) - 1
LINES: Final = (
    *(0b000_000_111 << SIZE * row for row in range(SIZE)),
    *(0b001_001_001 << column for column in range(SIZE)),
    0b100_010_001,
    0b001_010_100,
)
"""The eight lines as sets of cells: bit 0 is a1, bit 1 b1, bit 3 a2."""
MARKS: Final = "XO"
"""By seat."""

_CELL: Final = 72
_EDGE: Final = 20
_HEAD: Final = 24
_BACKGROUND: Final[Colour] = (24, 26, 32)
_FIELD: Final[Colour] = (44, 48, 58)
_INK: Final[Colour] = (214, 218, 226)
_COLOURS: Final[tuple[Colour, ...]] = ((236, 152, 62), (98, 180, 232))


class Marks(msgspec.Struct, frozen=True):
    """The cells of the crosses (seat 0) and of the noughts (seat 1), as bits."""

    crosses: int
    noughts: int


class TicTacToe:
    """Seat 0 has the crosses; seat 1 answers the cross that the seed has laid."""

    spec = Spec(
        id="tictactoe-v1",
        title="tic-tac-toe",
        actions=tuple(f"{'abc'[cell % SIZE]}{cell // SIZE + 1}" for cell in range(CELLS)),
        seats=2,
        frame_limit=18_000,
        step_limit=CELLS // 2,
        rules_text=(
            "You play tic-tac-toe on a board of columns a to c and rows 1 to 3 (1 at the top). "
            "X and O take turns to mark an empty cell (a dot), named by column and row, as in b2. "
            "Three of your marks in a row, column or diagonal win; a full board without is a "
            "draw. The first X has been laid by lot, so O moves first."
        ),
    )

    def reset(self, seed: int) -> Marks:
        return Marks(1 << draw(seed, 0, CELLS), 0)

    def step(self, state: Marks, action: int, seat: int = 0) -> Marks:
        if not 0 <= action < CELLS:
            raise IllegalAction(f"there is no action {action}")
        if seat not in self.to_act(state):
            raise IllegalAction(f"seat {seat} is not to move")
        mark = 1 << action
        if mark & (state.crosses | state.noughts):
            raise IllegalAction(f"{self.spec.actions[action]} is taken")
        if seat == 0:
            return Marks(state.crosses | mark, state.noughts)
        return Marks(state.crosses, state.noughts | mark)

    def frame(self, state: Marks) -> Marks:
        return state

    def legal(self, state: Marks, seat: int = 0) -> list[int]:
        if seat not in self.to_act(state):
            return []
        taken = state.crosses | state.noughts
        return [cell for cell in range(CELLS) if not taken >> cell & 1]

    def to_act(self, state: Marks) -> tuple[int, ...]:
        if self.over(state):
            return ()
        return (int(state.crosses.bit_count() > state.noughts.bit_count()),)

    def over(self, state: Marks) -> bool:
        full = state.crosses | state.noughts == FULL
        return full or has_line(state.crosses) or has_line(state.noughts)

    def score(self, state: Marks, seat: int = 0) -> float:
        return self.outcome(state)[seat] if self.over(state) else 0.0

    def outcome(self, state: Marks) -> tuple[float, ...]:
        if has_line(state.crosses):
            return (1.0, 0.0)
        if has_line(state.noughts):
            return (0.0, 1.0)
        return (0.5, 0.5) if self.over(state) else ()

    def text(self, state: Marks, seat: int = 0) -> str:
        marks = [mark_at(state, cell) for cell in range(CELLS)]
        rows = [f"{row + 1} {' '.join(marks[SIZE * row :][:SIZE])}" for row in range(SIZE)]
        return "\n".join([f"you are {MARKS[seat]}", "  a b c", *rows])

    def picture(self, state: Marks, seat: int = 0) -> Picture:
        side = SIZE * _CELL + _EDGE
        picture = canvas(side + _HEAD, side, _BACKGROUND)
        write(picture, 6, _EDGE, f"you are {MARKS[seat]}", _INK, 2)
        for index in range(SIZE):
            write(picture, _HEAD + 8, _EDGE + index * _CELL + 32, "ABC"[index], _INK)
            write(picture, _HEAD + _EDGE + index * _CELL + 32, 8, str(index + 1), _INK)
        for cell in range(CELLS):
            y, x = _HEAD + _EDGE + cell // SIZE * _CELL, _EDGE + cell % SIZE * _CELL
            rectangle(picture, y, x, _CELL - 4, _CELL - 4, _FIELD)
            mark = mark_at(state, cell)
            if mark in MARKS:
                write(picture, y + 10, x + 16, mark, _COLOURS[MARKS.index(mark)], 7)
        return picture

    def digest(self, state: Marks) -> str:
        return digest_of(state.crosses, state.noughts)


def has_line(cells: int) -> bool:
    """Whether a set of cells holds one of the eight lines."""
    return any(cells & line == line for line in LINES)


def mark_at(state: Marks, cell: int) -> str:
    """X, O, or a dot for an empty cell."""
    if state.crosses >> cell & 1:
        return "X"
    return "O" if state.noughts >> cell & 1 else "."
