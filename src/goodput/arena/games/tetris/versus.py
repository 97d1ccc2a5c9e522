"""Versus Tetris: rows that one side clears come up as garbage on the other, until one has no room.

Both sides get the same pieces, and the same holes in their garbage. Gravity rises with time, for
both alike.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from goodput.arena.games.digest import digest_of
from goodput.arena.games.drawing import canvas, write
from goodput.arena.games.rules import FRAMES_PER_SECOND, IllegalAction, Picture, Spec
from goodput.arena.games.tetris.board import WIDTH
from goodput.arena.games.tetris.controls import Controls
from goodput.arena.games.tetris.keys import Keys
from goodput.arena.games.tetris.motion import TOP_LEVEL, fallen
from goodput.arena.games.tetris.placements import Placements
from goodput.arena.games.tetris.single import act
from goodput.arena.games.tetris.view import (
    BACKGROUND,
    DIM,
    INK,
    LEGEND,
    SHOWN,
    draw_panel,
    draw_well,
    numbered,
    rows_of,
    status_of,
)
from goodput.arena.games.tetris.well import Well, fresh

LEVEL_FRAMES: Final = 30 * FRAMES_PER_SECOND
"""Half a minute a level."""

_CELL: Final = 14
_EDGE: Final = 8
_PANEL: Final = 64
_SIDE: Final = WIDTH * _CELL
_CAPTION: Final = 12
_RIVAL: Final = 268


class Duel(msgspec.Struct, frozen=True):
    """Both sides, and how many frames have passed."""

    wells: tuple[Well, Well]
    frames: int = 0


class VersusTetris:
    """Both seats act at any time. A seat's own score is its points; the game is won by staying in.
    Two sides that go out in the same frame draw."""

    def __init__(self, spec: Spec, controls: Controls) -> None:
        self.spec = spec
        self._controls = controls

    def reset(self, seed: int) -> Duel:
        return Duel((fresh(seed), fresh(seed)))

    def step(self, state: Duel, action: int, seat: int = 0) -> Duel:
        if self.over(state):
            raise IllegalAction("the game is over")
        before, other = state.wells[seat], state.wells[1 - seat]
        after = act(self._controls, before, action)
        other = _attacked(other, after.sent - before.sent)
        wells = (after, other) if seat == 0 else (other, after)
        return Duel(wells, state.frames)

    def frame(self, state: Duel) -> Duel:
        if self.over(state):
            return state
        frames = state.frames + 1
        before = state.wells
        first, second = (fallen(well) for well in before)
        sent = first.sent - before[0].sent, second.sent - before[1].sent
        wells = _attacked(first, sent[1]), _attacked(second, sent[0])
        if frames % LEVEL_FRAMES == 0:
            level = min(TOP_LEVEL, 1 + frames // LEVEL_FRAMES)
            wells = replace(wells[0], level=level), replace(wells[1], level=level)
        return Duel(wells, frames)

    def legal(self, state: Duel, seat: int = 0) -> list[int]:
        return [] if self.over(state) else self._controls.legal(state.wells[seat])

    def to_act(self, state: Duel) -> tuple[int, ...]:
        return () if self.over(state) else (0, 1)

    def over(self, state: Duel) -> bool:
        return state.wells[0].out or state.wells[1].out

    def score(self, state: Duel, seat: int = 0) -> float:
        return float(state.wells[seat].score)

    def outcome(self, state: Duel) -> tuple[float, ...]:
        first, second = (well.out for well in state.wells)
        if not (first or second):
            return ()
        return (0.5, 0.5) if first and second else (float(second), float(first))

    def text(self, state: Duel, seat: int = 0) -> str:
        own, other = state.wells[seat], state.wells[1 - seat]
        return (
            f"{status_of(own)}\n"
            f"{_threat('you', own)}; {_threat('opponent', other)}, score {other.score}\n"
            f"{numbered([rows_of(own), rows_of(other)])}\n"
            f"   {'you':12}  opponent"
        )

    def picture(self, state: Duel, seat: int = 0) -> Picture:
        own, other = state.wells[seat], state.wells[1 - seat]
        top = _EDGE + _CAPTION
        far = _SIDE + _PANEL + 3 * _EDGE
        picture = canvas(top + SHOWN * _CELL + _EDGE, far + _SIDE + _EDGE, BACKGROUND)
        write(picture, _EDGE, _EDGE, _threat("you", own), INK)
        write(picture, _EDGE, far, _threat("opponent", other), INK)
        draw_well(picture, top, _EDGE, _CELL, own)
        draw_panel(picture, top, _SIDE + 2 * _EDGE, own)
        draw_well(picture, top, far, _CELL, other)
        write(picture, top + _RIVAL, _SIDE + 2 * _EDGE, "OPPONENT", DIM)
        write(picture, top + _RIVAL + 10, _SIDE + 2 * _EDGE, str(other.score), INK)
        return picture

    def digest(self, state: Duel) -> str:
        first, second = (well.digest_parts() for well in state.wells)
        return digest_of(first, second, state.frames)


def versus_tetris() -> VersusTetris:
    """Steered by keys."""
    keys = Keys()
    return VersusTetris(
        Spec(
            id="tetris-versus-v1",
            title="Versus Tetris",
            actions=keys.words,
            seats=2,
            realtime=True,
            idle=keys.idle,
            frame_limit=18_000,
            step_limit=4_000,
            rules_text=f"{_GOAL} {keys.manual} {LEGEND}",
        ),
        keys,
    )


def versus_placement_tetris() -> VersusTetris:
    """Steered by whole placements."""
    placements = Placements()
    return VersusTetris(
        Spec(
            id="tetris-versus-place-v1",
            title="Versus Tetris by placements",
            actions=placements.words,
            seats=2,
            realtime=True,
            frame_limit=18_000,
            step_limit=600,
            rules_text=f"{_GOAL} {placements.manual} {LEGEND}",
        ),
        placements,
    )


_GOAL: Final = (
    "You play Tetris against an opponent, each on a board of 10 columns and 20 rows. Pieces fall "
    "by themselves, faster with time; a full row disappears. 2, 3 or 4 rows at once send 1, 2 or 4 "
    "rows of garbage, which first cancel what is about to come to you; what comes rises from below "
    "when you lock a piece without clearing a row. Whose new piece has no room loses."
)


def _attacked(well: Well, rows: int) -> Well:
    return replace(well, incoming=(*well.incoming, rows)) if rows else well


def _threat(name: str, well: Well) -> str:
    return f"{name}: {sum(well.incoming)} rows to come"
