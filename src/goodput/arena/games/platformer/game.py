"""The rules of the platformer: how far, how many coins, how many lives."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from goodput.arena.games.digest import digest_of
from goodput.arena.games.platformer.controls import ACTIONS, BUTTONS, STAY
from goodput.arena.games.platformer.level import COLUMNS, FLAG, ROWS, Level, Tile, level_of
from goodput.arena.games.platformer.physics import (
    BOUNCE,
    BUFFER,
    HEIGHT,
    TILE,
    WIDTH,
    Body,
    enemy_at,
    moved,
    standing,
)
from goodput.arena.games.platformer.view import draw_scene, rows_of, status_of
from goodput.arena.games.rules import IllegalAction, Picture, Spec

LIVES: Final = 3
COIN: Final = 3
STOMP: Final = 5
AT_FLAG: Final = 50
LIFE: Final = 20
SECONDS: Final = 90
_SECTION: Final = 40
"""After a lost life it goes on where this section of columns begins."""
_STOMP_DEPTH: Final = HEIGHT // 2


class Run(msgspec.Struct, frozen=True):
    """A run at a frame. ``best`` is the furthest column so far; ``taken`` are coins, ``stomped``
    enemies by number."""

    seed: int
    body: Body
    frames: int = 0
    held: int = STAY
    lives: int = LIVES
    best: int = 0
    taken: frozenset[Tile] = frozenset()
    stomped: frozenset[int] = frozenset()
    at_flag: bool = False


class Platformer:
    """The level of a seed, with three lives."""

    spec = Spec(
        id="platformer-v1",
        title="a platformer",
        actions=ACTIONS,
        realtime=True,
        idle=STAY,
        frame_limit=SECONDS * 60,
        step_limit=SECONDS * 15,
        rules_text=(
            "You run and jump to the right, to the flag. An action is what you hold from now on, "
            "until the next action; choosing a jump jumps once you stand, the higher the longer it "
            "is held, and the further the faster you are. Do not fall into pits, and do not touch "
            "enemies but from above, which beats them. A lost life sets you back; you have "
            f"{LIVES}. Score: a point a column of progress, {COIN} a coin, {STOMP} an enemy, and "
            f"at the flag {AT_FLAG} and {LIFE} a life left. The map shows a character a tile: M "
            "you, E enemy, o coin, # solid, F flag; positions are in pixels, 16 a tile."
        ),
    )

    def reset(self, seed: int) -> Run:
        return Run(seed, standing(level_of(seed), 2), best=2)

    def step(self, state: Run, action: int, seat: int = 0) -> Run:
        """Hold other buttons; a jump among them is a new one."""
        if action not in self.legal(state, seat):
            raise IllegalAction(f"{action} is not possible now")
        wish = BUFFER if BUTTONS[action].jump else 0
        return replace(state, held=action, body=replace(state.body, wish=wish))

    def frame(self, state: Run) -> Run:
        if self.over(state):
            return state
        level = level_of(state.seed)
        body = moved(level, state.body, BUTTONS[state.held])
        state = replace(state, body=body, frames=state.frames + 1)
        if body.y >= ROWS * TILE:
            return _lost(state, level)
        return _progressed(_collected(_met(state, level), level))

    def legal(self, state: Run, seat: int = 0) -> list[int]:
        return [] if self.over(state) else list(range(len(ACTIONS)))

    def to_act(self, state: Run) -> tuple[int, ...]:
        return () if self.over(state) else (0,)

    def over(self, state: Run) -> bool:
        return state.at_flag or state.lives == 0

    def score(self, state: Run, seat: int = 0) -> float:
        points = state.best + COIN * len(state.taken) + STOMP * len(state.stomped)
        return float(points + (AT_FLAG + LIFE * state.lives) * state.at_flag)

    def outcome(self, state: Run) -> tuple[float, ...]:
        return ()

    def text(self, state: Run, seat: int = 0) -> str:
        status = status_of(self, state)
        return "\n".join([*status, *rows_of(state)])

    def picture(self, state: Run, seat: int = 0) -> Picture:
        return draw_scene(state, status_of(self, state))

    def digest(self, state: Run) -> str:
        body = state.body
        return digest_of(
            (state.seed, state.frames, state.held, state.lives, state.best, state.at_flag),
            (body.x, body.y, body.vx, body.vy, body.grounded, body.wish),
            tuple(sorted(state.taken)),
            tuple(sorted(state.stomped)),
        )


def _met(state: Run, level: Level) -> Run:
    """What comes of touching an enemy: from above it is beaten, else a life is lost."""
    body = state.body
    for number, patrol in enumerate(level.enemies):
        if number in state.stomped:
            continue
        x, y = enemy_at(patrol, state.frames), patrol.row * TILE - HEIGHT
        if abs(body.x - x) >= WIDTH or abs(body.y - y) >= HEIGHT:
            continue
        if body.vy > 0 and y - body.y >= _STOMP_DEPTH:
            bounced = replace(body, vy=BOUNCE, grounded=False)
            return replace(state, body=bounced, stomped=state.stomped | {number})
        return _lost(state, level)
    return state


def _collected(state: Run, level: Level) -> Run:
    body = state.body
    touched = {
        (column, row)
        for column in (body.x // TILE, (body.x + WIDTH - 1) // TILE)
        for row in (body.y // TILE, (body.y + HEIGHT - 1) // TILE)
    }
    coins = (touched & level.coins) - state.taken
    return replace(state, taken=state.taken | coins) if coins else state


def _progressed(state: Run) -> Run:
    column = (state.body.x + WIDTH // 2) // TILE
    if column <= state.best:
        return state
    return replace(state, best=min(column, COLUMNS), at_flag=column >= FLAG)


def _lost(state: Run, level: Level) -> Run:
    """A life less, and back to the beginning of the section, where there is ground."""
    section = max(2, state.best // _SECTION * _SECTION)
    column = next(place for place in range(section, 1, -1) if _is_safe(level, place))
    return replace(state, lives=state.lives - 1, body=standing(level, column), held=STAY)


def _is_safe(level: Level, column: int) -> bool:
    """Ground without anything on it, where no enemy walks."""
    row = level.ground[column]
    return (
        row < ROWS
        and (column, row - 1) not in level.solid
        and not any(patrol.first - 1 <= column <= patrol.last + 1 for patrol in level.enemies)
    )
