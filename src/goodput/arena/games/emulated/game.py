"""An emulated game as a pure state machine.

A state is the list of what was held in each frame, shared with the states before it. The emulator
itself stands at one of them: the next frame of that one is run, for any other state it is switched
on again and all is played anew. So play that only goes forwards costs a frame a frame, and looking
back is possible.
"""

from __future__ import annotations

import msgspec

from goodput.arena.games.digest import digest_of
from goodput.arena.games.emulated.console import Console, Seen
from goodput.arena.games.rules import IllegalAction, Picture, Spec


class Moment(msgspec.Struct, frozen=True, eq=False):
    """A frame: what was shown, what is held from now on, and the frame before it.

    ``key`` names it: two moments with the same key came about in the same way.
    """

    seed: int
    frame: int
    held: int
    seen: Seen
    key: str
    before: Moment | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class EmulatedGame:
    """``console`` played by ``spec``, whose actions are the console's."""

    def __init__(self, console: Console, spec: Spec) -> None:
        self.spec = spec
        self._console = console
        self._at: str | None = None

    def reset(self, seed: int) -> Moment:
        seen = self._console.reset(seed)
        moment = Moment(seed, 0, 0, seen, digest_of(seed, seen.memory))
        self._at = moment.key
        return moment

    def step(self, state: Moment, action: int, seat: int = 0) -> Moment:
        """Hold other buttons from the next frame on."""
        if action not in self.legal(state, seat):
            raise IllegalAction(f"{action} is not possible now")
        if action == state.held:
            return state
        # The emulator has not moved: the new moment is where it stands, if the old one was.
        moved = msgspec.structs.replace(state, held=action, key=digest_of(state.key, action))
        if self._at == state.key:
            self._at = moved.key
        return moved

    def frame(self, state: Moment) -> Moment:
        if state.seen.over:
            return state
        self._go_to(state)
        seen = self._console.advance(state.held)
        key = digest_of(state.key, state.frame, seen.memory)
        self._at = key
        return Moment(state.seed, state.frame + 1, state.held, seen, key, state)

    def legal(self, state: Moment, seat: int = 0) -> list[int]:
        return [] if state.seen.over else list(range(len(self.spec.actions)))

    def to_act(self, state: Moment) -> tuple[int, ...]:
        return () if state.seen.over else (0,)

    def over(self, state: Moment) -> bool:
        return state.seen.over

    def score(self, state: Moment, seat: int = 0) -> float:
        return state.seen.score

    def outcome(self, state: Moment) -> tuple[float, ...]:
        return ()

    def text(self, state: Moment, seat: int = 0) -> str:
        return f"{state.seen.text}\nholding: {self.spec.actions[state.held]}"

    def picture(self, state: Moment, seat: int = 0) -> Picture:
        self._go_to(state)
        return self._console.picture()

    def digest(self, state: Moment) -> str:
        return digest_of(state.seed, state.frame, state.held, state.seen.memory)

    def _go_to(self, state: Moment) -> None:
        """Have the emulator stand at ``state``, by playing all frames again if it does not."""
        if self._at == state.key:
            return
        held: list[int] = []
        moment = state
        while moment.before is not None:
            held.append(moment.before.held)
            moment = moment.before
        self._console.reset(state.seed)
        for action in reversed(held):
            self._console.advance(action)
        self._at = state.key
