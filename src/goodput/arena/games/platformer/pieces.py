"""What levels are made of. Widths and heights stay below a jump's reach: a jump from standing rises
a little over four tiles, and one at a run spans over six."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from goodput.arena.games.chance import draw

_LOWEST: Final = 2
_HIGHEST: Final = 5
"""Tiles of ground below one's feet, at least and at most."""


class Builder:
    """A level while it is built, from left to right."""

    def __init__(self, stream: int, rows: int) -> None:
        self.rows = rows
        self.ground: list[int] = []
        self.solid: set[tuple[int, int]] = set()
        self.coins: set[tuple[int, int]] = set()
        self.patrols: list[tuple[int, int, int]] = []
        self._height = 3
        self._stream = stream
        self._drawn = 0

    @property
    def column(self) -> int:
        """The next column."""
        return len(self.ground)

    @property
    def top(self) -> int:
        """The row of the ground as it is now."""
        return self.rows - self._height

    def draw(self, bound: int) -> int:
        """The next random number in [0, bound)."""
        self._drawn += 1
        return draw(self._stream, self._drawn, bound)

    def flat(self, columns: int) -> None:
        """Ground of the present height."""
        for _ in range(columns):
            self.solid.update((self.column, row) for row in range(self.top, self.rows))
            self.ground.append(self.top)

    def gap(self, columns: int) -> None:
        """Nothing to stand on."""
        self.ground += [self.rows] * columns

    def raise_by(self, tiles: int) -> None:
        """Other ground from here on, within bounds."""
        self._height = min(_HIGHEST, max(_LOWEST, self._height + tiles))

    def block(self, column: int, row: int) -> None:
        """A solid tile in the air or on the ground."""
        self.solid.add((column, row))


def _pit(builder: Builder) -> None:
    width = 2 + builder.draw(2)
    if builder.draw(2):
        middle = builder.column + width // 2
        builder.coins.add((middle, builder.top - 4))
    builder.gap(width)
    builder.flat(4 + builder.draw(3))


def _step(builder: Builder) -> None:
    builder.raise_by((-2, -1, 1, 2)[builder.draw(4)])
    builder.flat(4 + builder.draw(4))


def _wall(builder: Builder) -> None:
    height = 1 + builder.draw(3)
    column = builder.column + 2
    builder.flat(6 + builder.draw(3))
    for level in range(1, height + 1):
        builder.block(column, builder.top - level)


def _guard(builder: Builder) -> None:
    length = 7 + builder.draw(4)
    first = builder.column + 2
    builder.flat(length)
    builder.patrols.append((first, builder.column - 2, builder.top))


def _shelf(builder: Builder) -> None:
    """Blocks to jump on, with coins over them."""
    first = builder.column + 2
    length = 3 + builder.draw(3)
    row = builder.top - 3
    builder.flat(length + 5)
    for column in range(first, first + length):
        builder.block(column, row)
        builder.coins.add((column, row - 1))


def _coins(builder: Builder) -> None:
    first = builder.column + 1
    length = 3 + builder.draw(3)
    builder.flat(length + 3)
    builder.coins.update((column, builder.top - 1) for column in range(first, first + length))


PIECES: Final[tuple[Callable[[Builder], None], ...]] = (
    _pit,
    _step,
    _wall,
    _guard,
    _shelf,
    _coins,
    _pit,
    _guard,
)
"""Pits and guards twice: they are what the game is about."""
