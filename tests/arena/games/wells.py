"""Wells for tests, drawn as rows of characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from goodput.arena.games.tetris.board import cells_from, place
from goodput.arena.games.tetris.pieces import BOTTOM, KINDS
from goodput.arena.games.tetris.well import Well, fresh


def well(
    rows: Sequence[str] = (), piece: str = "T", *, row: int = 10, column: int = 3, **more: Any
) -> Well:
    """A stack (its last row is the lowest) and a falling piece with its box at ``row`` and
    ``column``, as it enters unless ``turn`` says otherwise."""
    kind = KINDS.index(piece)
    lowest = row + BOTTOM[kind][more.get("turn", 0)]
    placed = {"kind": kind, "at": place(row, column), "lowest": lowest, **more}
    return replace(fresh(0), cells=cells_from(list(rows)), **placed)
