"""What a game is: a pure state machine over frames, with a fixed list of named actions.

States are immutable and hashable, so a clone is the state itself and a replay is the list of
actions. Everything random comes from the seed given to ``reset`` and travels inside the state.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, Protocol, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

FRAMES_PER_SECOND: Final = 60

State = TypeVar("State", bound=Hashable)
Picture = npt.NDArray[np.uint8]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A game's constants.

    ``id`` is versioned ("tetris-v1"): any change of the rules makes a new one. ``actions`` are the
    exact words that a player answers with; an action is an index into them. ``seats`` is 1 or 2.
    ``frame_limit`` ends an episode that nothing else ended, and ``step_limit`` bounds its actions.
    ``realtime`` games change while nobody acts (gravity, enemies); in the others an idle frame
    only spends time. ``idle`` is the action that does nothing, where the game has one.
    ``late`` says what becomes of an action that was chosen for an older state and may no longer
    be meant: "apply" it if it is still legal, or "drop" it.
    """

    id: str
    title: str
    actions: tuple[str, ...]
    seats: int = 1
    realtime: bool = False
    idle: int | None = None
    late: str = "apply"
    frame_limit: int
    step_limit: int
    rules_text: str
    """What a player is told before the first observation: goal, actions, scoring."""


class Rules(Protocol, Generic[State]):
    """One game. No method mutates anything; all are deterministic."""

    @property
    def spec(self) -> Spec: ...

    def reset(self, seed: int) -> State:
        """The first state of a seed."""

    def step(self, state: State, action: int, seat: int = 0) -> State:
        """The state after ``seat`` acted. Raises IllegalAction where ``legal`` says no."""

    def frame(self, state: State) -> State:
        """The state one sixtieth of a second later, nobody having acted."""

    def legal(self, state: State, seat: int = 0) -> list[int]:
        """The actions that ``seat`` may take now, in increasing order; empty when it is not to act
        or the game is over."""

    def to_act(self, state: State) -> tuple[int, ...]:
        """The seats that may act now: one in games of turns, all in races, none at the end."""

    def over(self, state: State) -> bool:
        """Whether the episode has ended by the game's own rules (limits are the harness's)."""

    def score(self, state: State, seat: int = 0) -> float:
        """Points so far, higher is better."""

    def outcome(self, state: State) -> tuple[float, ...]:
        """Of a finished two-seat game: 1, 0.5 or 0 a seat, adding up to 1. Empty otherwise."""

    def text(self, state: State, seat: int = 0) -> str:
        """What ``seat`` sees, in words and characters; the same information as ``picture``."""

    def picture(self, state: State, seat: int = 0) -> Picture:
        """What ``seat`` sees, (height, width, 3) uint8, at most 400 pixels a side."""

    def digest(self, state: State) -> str:
        """16 hex digits that two equal states share, the same in every process."""


class IllegalAction(ValueError):  # noqa: N818 - what happened, not what went wrong here
    """The action is not legal in this state for this seat."""
