"""Tetris alone: as many points as the time or the pieces allow."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from goodput.arena.games.drawing import canvas
from goodput.arena.games.rules import IllegalAction, Picture, Spec
from goodput.arena.games.tetris.board import WIDTH
from goodput.arena.games.tetris.controls import Controls
from goodput.arena.games.tetris.keys import Keys
from goodput.arena.games.tetris.motion import TOP_LEVEL, fallen
from goodput.arena.games.tetris.placements import Placements
from goodput.arena.games.tetris.view import (
    BACKGROUND,
    LEGEND,
    SHOWN,
    draw_panel,
    draw_well,
    numbered,
    rows_of,
    status_of,
)
from goodput.arena.games.tetris.well import Well, digest_of_well, fresh

LINES_PER_LEVEL: Final = 10

_CELL: Final = 14
_EDGE: Final = 8
_PANEL: Final = 64


class Tetris:
    """A marathon: the level rises every ten lines, and with it gravity and the points for lines."""

    def __init__(self, spec: Spec, controls: Controls) -> None:
        self.spec = spec
        self._controls = controls

    def reset(self, seed: int) -> Well:
        return fresh(seed)

    def step(self, state: Well, action: int, seat: int = 0) -> Well:
        return _levelled(state, act(self._controls, state, action))

    def frame(self, state: Well) -> Well:
        return _levelled(state, fallen(state))

    def legal(self, state: Well, seat: int = 0) -> list[int]:
        return [] if state.out else self._controls.legal(state)

    def to_act(self, state: Well) -> tuple[int, ...]:
        return () if state.out else (0,)

    def over(self, state: Well) -> bool:
        return state.out

    def score(self, state: Well, seat: int = 0) -> float:
        return float(state.score)

    def outcome(self, state: Well) -> tuple[float, ...]:
        return ()

    def text(self, state: Well, seat: int = 0) -> str:
        return f"{status_of(state)}\n{numbered([rows_of(state)])}"

    def picture(self, state: Well, seat: int = 0) -> Picture:
        side = WIDTH * _CELL
        picture = canvas(SHOWN * _CELL + 2 * _EDGE, side + _PANEL + 3 * _EDGE, BACKGROUND)
        draw_well(picture, _EDGE, _EDGE, _CELL, state)
        draw_panel(picture, _EDGE, side + 2 * _EDGE, state)
        return picture

    def digest(self, state: Well) -> str:
        return digest_of_well(state)


def act(controls: Controls, well: Well, action: int) -> Well:
    """The well after an action; raises IllegalAction where that is not possible now."""
    if not 0 <= action < len(controls.words):
        raise IllegalAction(f"there is no action {action}")
    after = None if well.out else controls.act(well, action)
    if after is None:
        raise IllegalAction(f"{controls.words[action]} is not possible now")
    return after


def tetris() -> Tetris:
    """Steered by keys."""
    keys = Keys()
    return Tetris(
        Spec(
            id="tetris-v1",
            title="Tetris",
            actions=keys.words,
            realtime=True,
            idle=keys.idle,
            frame_limit=36_000,
            step_limit=4_000,
            rules_text=f"{_GOAL} {keys.manual} {LEGEND}",
        ),
        keys,
    )


def placement_tetris() -> Tetris:
    """Steered by whole placements."""
    placements = Placements()
    return Tetris(
        Spec(
            id="tetris-place-v1",
            title="Tetris by placements",
            actions=placements.words,
            realtime=True,
            frame_limit=36_000,
            step_limit=600,
            rules_text=f"{_GOAL} {placements.manual} {LEGEND}",
        ),
        placements,
    )


_GOAL: Final = (
    "You play Tetris on a board of 10 columns and 20 rows. Pieces fall by themselves; a full row "
    "disappears. 1, 2, 3 or 4 rows at once give 100, 300, 500 or 800 points times the level, which "
    "rises every 10 rows and makes pieces fall faster. The game ends when a new piece has no room. "
    "Keep the stack low and without holes."
)


def _levelled(before: Well, after: Well) -> Well:
    if after.lines == before.lines:
        return after
    return replace(after, level=min(TOP_LEVEL, 1 + after.lines // LINES_PER_LEVEL))
