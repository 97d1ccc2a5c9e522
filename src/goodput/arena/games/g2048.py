"""2048: slide the tiles of a 4×4 board; equal ones that meet become their sum."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from goodput.arena.games.chance import draw
from goodput.arena.games.digest import digest_of
from goodput.arena.games.drawing import Colour, canvas, rectangle, text_width, write
from goodput.arena.games.font import GLYPH_HEIGHT
from goodput.arena.games.rules import IllegalAction, Picture, Spec

SIZE: Final = 4
FOUR_IN: Final = 10
"""One new tile in ten is a 4."""
ACTIONS: Final = ("up", "down", "left", "right")
UP, DOWN, LEFT, RIGHT = range(4)

Line = tuple[int, ...]
"""Four cells: 0 is empty, n the tile 2 ** n."""
Board = tuple[Line, ...]
"""Four rows from the top."""

_CELL: Final = 68
_GAP: Final = 6
_HEAD: Final = 26
_BACKGROUND: Final[Colour] = (28, 30, 36)
_EMPTY: Final[Colour] = (44, 47, 56)
_LIGHT: Final[Colour] = (240, 240, 236)
_DARK: Final[Colour] = (40, 38, 36)
_TILES: Final[tuple[Colour, ...]] = (
    (222, 220, 212),
    (226, 208, 170),
    (236, 176, 112),
    (238, 146, 88),
    (236, 116, 82),
    (226, 82, 62),
    (226, 192, 84),
    (212, 176, 52),
    (150, 176, 62),
    (84, 162, 92),
    (52, 146, 150),
    (64, 108, 190),
    (112, 84, 186),
)
_PALE: Final = (1, 2, 3, 4, 7, 8)
"""Tiles whose colour is light."""


class Tiles(msgspec.Struct, frozen=True):
    """A board, the points so far, and the seed with how many numbers were drawn from it."""

    board: Board
    seed: int
    drawn: int = 0
    score: int = 0


class Game2048:
    """Points are the sums that come about by merging."""

    spec = Spec(
        id="2048-v1",
        title="2048",
        actions=ACTIONS,
        frame_limit=36_000,
        step_limit=1_000,
        rules_text=(
            "You play 2048. A move slides all tiles of the 4x4 board as far as they go. Two equal "
            "tiles that meet become one of their sum, which scores as many points; a tile merges "
            "once a move. After each move a new 2 (rarely a 4) appears. The game ends when no move "
            "changes the board. A dot is an empty cell."
        ),
    )

    def reset(self, seed: int) -> Tiles:
        empty = Tiles(((0,) * SIZE,) * SIZE, seed)
        return _with_new_tile(_with_new_tile(empty))

    def step(self, state: Tiles, action: int, seat: int = 0) -> Tiles:
        if not 0 <= action < len(ACTIONS):
            raise IllegalAction(f"there is no action {action}")
        board, points = slid(state.board, action)
        if board == state.board:
            raise IllegalAction(f"{ACTIONS[action]} moves nothing")
        return _with_new_tile(Tiles(board, state.seed, state.drawn, state.score + points))

    def frame(self, state: Tiles) -> Tiles:
        return state

    def legal(self, state: Tiles, seat: int = 0) -> list[int]:
        return moves_of(state.board)

    def to_act(self, state: Tiles) -> tuple[int, ...]:
        return () if self.over(state) else (0,)

    def over(self, state: Tiles) -> bool:
        return not moves_of(state.board)

    def score(self, state: Tiles, seat: int = 0) -> float:
        return float(state.score)

    def outcome(self, state: Tiles) -> tuple[float, ...]:
        return ()

    def text(self, state: Tiles, seat: int = 0) -> str:
        rows = (" ".join(f"{_name(tile):>5}" for tile in row) for row in state.board)
        return "\n".join([f"score {state.score}", *rows])

    def picture(self, state: Tiles, seat: int = 0) -> Picture:
        side = SIZE * (_CELL + _GAP) + _GAP
        picture = canvas(side + _HEAD, side, _BACKGROUND)
        write(picture, 8, _GAP, f"score {state.score}", _LIGHT, 2)
        for row, line in enumerate(state.board):
            for column, tile in enumerate(line):
                y, x = _HEAD + _GAP + row * (_CELL + _GAP), _GAP + column * (_CELL + _GAP)
                _draw_tile(picture, y, x, tile)
        return picture

    def digest(self, state: Tiles) -> str:
        return digest_of(state.board, state.seed, state.drawn, state.score)


def slid(board: Board, action: int) -> tuple[Board, int]:
    """The board after a move, before a new tile comes, and the points of its merges. An equal board
    means that the move is none."""
    if action == LEFT:
        moved = [_left(line) for line in board]
    elif action == RIGHT:
        moved = [_right(line) for line in board]
    elif action == UP:
        moved = [_left(line) for line in zip(*board, strict=True)]
    else:
        moved = [_right(line) for line in zip(*board, strict=True)]
    lines: Board = tuple(line for line, _ in moved)
    if action in (UP, DOWN):
        lines = tuple(zip(*lines, strict=True))
    return lines, sum(points for _, points in moved)


def moves_of(board: Board) -> list[int]:
    """The actions that change the board, in increasing order."""
    across = down = 0
    for line in board:
        across |= _ways(line)
    for line in zip(*board, strict=True):
        down |= _ways(line)
    able = (down & 1, down & 2, across & 1, across & 2)
    return [action for action, can in enumerate(able) if can]


@lru_cache(maxsize=1 << 17)
def _ways(line: Line) -> int:
    """Bit 0: the line can move to its beginning; bit 1: to its end."""
    return (_left(line)[0] != line) | (_right(line)[0] != line) << 1


@lru_cache(maxsize=1 << 17)
def _left(line: Line) -> tuple[Line, int]:
    """One line slid to its beginning, and the points: each tile merges at most once."""
    tiles: list[int] = []
    points = 0
    may_merge = False
    for tile in filter(None, line):
        if may_merge and tiles[-1] == tile:
            tiles[-1] = tile + 1
            points += 2 << tile
            may_merge = False
        else:
            tiles.append(tile)
            may_merge = True
    return tuple(tiles) + (0,) * (len(line) - len(tiles)), points


@lru_cache(maxsize=1 << 17)
def _right(line: Line) -> tuple[Line, int]:
    moved, points = _left(line[::-1])
    return moved[::-1], points


def _with_new_tile(state: Tiles) -> Tiles:
    """A 2 or a 4 in an empty cell. There is one after any move: a move merges or had room."""
    board, seed, drawn = state.board, state.seed, state.drawn
    empty = [
        (row, column)
        for row, line in enumerate(board)
        for column, tile in enumerate(line)
        if not tile
    ]
    row, column = empty[draw(seed, drawn, len(empty))]
    tile = 2 if draw(seed, drawn + 1, FOUR_IN) == 0 else 1
    line = (*board[row][:column], tile, *board[row][column + 1 :])
    return Tiles((*board[:row], line, *board[row + 1 :]), seed, drawn + 2, state.score)


def _name(tile: int) -> str:
    return str(1 << tile) if tile else "."


def _draw_tile(picture: Picture, y: int, x: int, tile: int) -> None:
    if not tile:
        rectangle(picture, y, x, _CELL, _CELL, _EMPTY)
        return
    rectangle(picture, y, x, _CELL, _CELL, _TILES[min(tile, len(_TILES)) - 1])
    name = _name(tile)
    scale = 3 if len(name) < 4 else 2
    top = y + (_CELL - GLYPH_HEIGHT * scale) // 2
    left = x + (_CELL - text_width(name, scale)) // 2
    write(picture, top, left, name, _DARK if tile in _PALE else _LIGHT, scale)
