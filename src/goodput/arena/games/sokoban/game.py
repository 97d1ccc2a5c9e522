"""The rules of Sokoban: six levels of growing difficulty, two hundred moves in all."""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.games.digest import digest_of
from goodput.arena.games.rules import IllegalAction, Picture, Spec
from goodput.arena.games.sokoban.deadlock import deadlocked
from goodput.arena.games.sokoban.generator import GRADES, puzzle_of
from goodput.arena.games.sokoban.level import Boxes, Level, Position, moved
from goodput.arena.games.sokoban.view import LEGEND, draw_level, rows_of

MOVES: Final = 200
"""Actions a game; the pars of the six levels are 180 at most together."""
ACTIONS: Final = ("up", "down", "left", "right", "restart")
RESTART: Final = 4


class Warehouse(msgspec.Struct, frozen=True):
    """Which level of which seed is played, how it stands, the boxes of the finished levels, and the
    moves that are left."""

    seed: int
    level: int
    player: int
    boxes: Boxes
    finished: int = 0
    moves_left: int = MOVES

    @property
    def position(self) -> Position:
        return Position(self.player, self.boxes)


class Sokoban:
    """A point for each box on a target, those of finished levels included."""

    spec = Spec(
        id="sokoban-v1",
        title="Sokoban",
        actions=ACTIONS,
        frame_limit=36_000,
        step_limit=MOVES,
        rules_text=(
            "You play Sokoban: push every box onto a target. You walk up, down, left or right; "
            "walking into a box pushes it one cell if the cell behind it is free. Boxes cannot be "
            "pulled, and not two at once be pushed. Par is the fewest moves that solve the level. "
            "Stuck means that it can no longer be solved as it stands: restart sets it back. "
            f"There are {len(GRADES)} levels and {MOVES} moves for all of them; each box on a "
            f"target, and each of a solved level, is a point. {LEGEND}"
        ),
    )

    def reset(self, seed: int) -> Warehouse:
        level = puzzle_of(seed, 0).level
        return Warehouse(seed, 0, level.player, level.boxes)

    def step(self, state: Warehouse, action: int, seat: int = 0) -> Warehouse:
        if not 0 <= action < len(ACTIONS):
            raise IllegalAction(f"there is no action {action}")
        after = None if self.over(state) else _after(level_of(state), state.position, action)
        if after is None:
            raise IllegalAction(f"{ACTIONS[action]} changes nothing now")
        state = msgspec.structs.replace(
            state, player=after.player, boxes=after.boxes, moves_left=state.moves_left - 1
        )
        if not solved(state) or state.level + 1 == len(GRADES):
            return state
        following = puzzle_of(state.seed, state.level + 1).level
        finished = state.finished + len(state.boxes)
        return Warehouse(
            state.seed,
            state.level + 1,
            following.player,
            following.boxes,
            finished,
            state.moves_left,
        )

    def frame(self, state: Warehouse) -> Warehouse:
        return state

    def legal(self, state: Warehouse, seat: int = 0) -> list[int]:
        if self.over(state):
            return []
        level = level_of(state)
        return [
            action
            for action in range(len(ACTIONS))
            if _after(level, state.position, action) is not None
        ]

    def to_act(self, state: Warehouse) -> tuple[int, ...]:
        return () if self.over(state) else (0,)

    def over(self, state: Warehouse) -> bool:
        return state.moves_left == 0 or solved(state)

    def score(self, state: Warehouse, seat: int = 0) -> float:
        return float(state.finished + len(state.boxes & level_of(state).targets))

    def outcome(self, state: Warehouse) -> tuple[float, ...]:
        return ()

    def text(self, state: Warehouse, seat: int = 0) -> str:
        return "\n".join([*self._status(state), *rows_of(level_of(state), state.position)])

    def picture(self, state: Warehouse, seat: int = 0) -> Picture:
        return draw_level(rows_of(level_of(state), state.position), self._status(state))

    def digest(self, state: Warehouse) -> str:
        return digest_of(
            state.seed,
            state.level,
            state.player,
            tuple(sorted(state.boxes)),
            state.finished,
            state.moves_left,
        )

    def _status(self, state: Warehouse) -> list[str]:
        level, par = puzzle_of(state.seed, state.level)
        on_targets = len(state.boxes & level.targets)
        stuck = "yes" if deadlocked(level, state.boxes) else "no"
        return [
            f"level {state.level + 1} of {len(GRADES)}  par {par}  "
            f"boxes on targets {on_targets} of {len(level.boxes)}",
            f"stuck {stuck}  moves left {state.moves_left}  score {self.score(state):.0f}",
        ]


def level_of(state: Warehouse) -> Level:
    """The level that is being played, as it began."""
    return puzzle_of(state.seed, state.level).level


def solved(state: Warehouse) -> bool:
    """Whether every box is on a target; only the last level stays so."""
    return state.boxes <= level_of(state).targets


def _after(level: Level, position: Position, action: int) -> Position | None:
    """The position after an action; None where it would change nothing."""
    if action != RESTART:
        return moved(level, position, action)
    begin = Position(level.player, level.boxes)
    return None if position == begin else begin
