"""Connect Four: discs fall into seven columns of six; four in line win.

The seed drops the first disc of each side, so that seeds are different games even between players
that leave nothing to chance. Some of these openings favour a side: play each with both seatings.

A side's discs are a bitboard: column c, row r (0 lowest) is bit 7·c + r. Row 6 is always empty, so
lines cannot wrap from one column into the next.
"""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.games.chance import draw
from goodput.arena.games.digest import digest_of
from goodput.arena.games.drawing import Colour, canvas, rectangle, write
from goodput.arena.games.rules import IllegalAction, Picture, Spec

COLUMNS: Final = 7
ROWS: Final = 6
STRIDE: Final = ROWS + 1
LOWEST: Final = sum(1 << STRIDE * column for column in range(COLUMNS))
"""The lowest cell of each column."""
FULL: Final = LOWEST * ((1 << ROWS) - 1)
DIRECTIONS: Final = (1, STRIDE, STRIDE - 1, STRIDE + 1)
"""Steps in bits: up, right, right and down, right and up."""
DISCS: Final = "XO"
"""By seat."""

_CELL: Final = 42
_HEAD: Final = 24
_EDGE: Final = 6
_BACKGROUND: Final[Colour] = (24, 26, 32)
_FRAME: Final[Colour] = (44, 66, 128)
_HOLE: Final[Colour] = (20, 24, 40)
_INK: Final[Colour] = (214, 218, 226)
_COLOURS: Final[tuple[Colour, ...]] = ((234, 200, 66), (222, 84, 84))


class Discs(msgspec.Struct, frozen=True):
    """The bitboards of seat 0 and of seat 1. Who has fewer discs, or seat 0, is to move."""

    first: int
    second: int


class ConnectFour:
    """Seat 0 drops X, seat 1 O; both have one disc when play begins."""

    spec = Spec(
        id="connect-four-v1",
        title="Connect Four",
        actions=tuple(f"column-{column + 1}" for column in range(COLUMNS)),
        seats=2,
        frame_limit=36_000,
        step_limit=COLUMNS * ROWS // 2 - 1,
        rules_text=(
            "You play Connect Four on 7 columns (1 to 7 from the left) of 6 rows. X and O take "
            "turns to drop a disc into a column that is not full; it falls to the lowest empty "
            "cell (a dot). Four of your discs in line, across, upright or diagonally, win; a full "
            "board without is a draw. The first disc of each was dropped by lot. X moves first."
        ),
    )

    def reset(self, seed: int) -> Discs:
        first = 1 << STRIDE * draw(seed, 0, COLUMNS)
        return Discs(first, cell_to_fill(first, draw(seed, 1, COLUMNS)))

    def step(self, state: Discs, action: int, seat: int = 0) -> Discs:
        if not 0 <= action < COLUMNS:
            raise IllegalAction(f"there is no action {action}")
        if seat not in self.to_act(state):
            raise IllegalAction(f"seat {seat} is not to move")
        disc = cell_to_fill(state.first | state.second, action)
        if not disc:
            raise IllegalAction(f"{self.spec.actions[action]} is full")
        if seat == 0:
            return Discs(state.first | disc, state.second)
        return Discs(state.first, state.second | disc)

    def frame(self, state: Discs) -> Discs:
        return state

    def legal(self, state: Discs, seat: int = 0) -> list[int]:
        if seat not in self.to_act(state):
            return []
        taken = state.first | state.second
        return [column for column in range(COLUMNS) if cell_to_fill(taken, column)]

    def to_act(self, state: Discs) -> tuple[int, ...]:
        if self.over(state):
            return ()
        return (int(state.first.bit_count() > state.second.bit_count()),)

    def over(self, state: Discs) -> bool:
        full = state.first | state.second == FULL
        return full or has_four(state.first) or has_four(state.second)

    def score(self, state: Discs, seat: int = 0) -> float:
        return self.outcome(state)[seat] if self.over(state) else 0.0

    def outcome(self, state: Discs) -> tuple[float, ...]:
        if has_four(state.first):
            return (1.0, 0.0)
        if has_four(state.second):
            return (0.0, 1.0)
        return (0.5, 0.5) if self.over(state) else ()

    def text(self, state: Discs, seat: int = 0) -> str:
        rows = [
            f"{row + 1} " + " ".join(disc_at(state, column, row) for column in range(COLUMNS))
            for row in reversed(range(ROWS))
        ]
        return "\n".join([f"you are {DISCS[seat]}", *rows, "  1 2 3 4 5 6 7"])

    def picture(self, state: Discs, seat: int = 0) -> Picture:
        left = _EDGE + 12
        width, bottom = COLUMNS * _CELL, _HEAD + ROWS * _CELL
        picture = canvas(bottom + 18, left + width + _EDGE, _BACKGROUND)
        write(picture, 5, left, f"you are {DISCS[seat]}", _INK, 2)
        rectangle(picture, _HEAD, left, ROWS * _CELL, width, _FRAME)
        for column in range(COLUMNS):
            x = left + column * _CELL
            write(picture, bottom + 6, x + _CELL // 2 - 2, str(column + 1), _INK)
            for row in range(ROWS):
                y = bottom - (row + 1) * _CELL
                _draw_disc(picture, y, x, disc_at(state, column, row))
        for row in range(ROWS):
            write(picture, bottom - row * _CELL - _CELL // 2 - 3, _EDGE, str(row + 1), _INK)
        return picture

    def digest(self, state: Discs) -> str:
        return digest_of(state.first, state.second)


def cell_to_fill(taken: int, column: int) -> int:
    """The bit that a disc dropped into ``column`` takes; 0 where the column is full."""
    lowest = 1 << STRIDE * column
    # Adding one to a column's heap of ones carries to its first empty cell.
    return (taken + lowest) & ~taken & FULL & lowest * ((1 << ROWS) - 1)


def has_four(discs: int) -> bool:
    """Whether four of the discs are in line."""
    for step in DIRECTIONS:
        pairs = discs & discs >> step
        if pairs & pairs >> 2 * step:
            return True
    return False


def disc_at(state: Discs, column: int, row: int) -> str:
    """X, O, or a dot for an empty cell; row 0 is the lowest."""
    cell = 1 << STRIDE * column + row
    if state.first & cell:
        return "X"
    return "O" if state.second & cell else "."


def _draw_disc(picture: Picture, y: int, x: int, disc: str) -> None:
    """A hole with cut corners, in it the disc's colour and letter."""
    colour = _COLOURS[DISCS.index(disc)] if disc in DISCS else _HOLE
    rectangle(picture, y + 4, x + 9, _CELL - 8, _CELL - 18, colour)
    rectangle(picture, y + 9, x + 4, _CELL - 18, _CELL - 8, colour)
    if disc in DISCS:
        write(picture, y + 14, x + 16, disc, _HOLE, 2)
