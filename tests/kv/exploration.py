"""Every order of events, breadth first, so that the first failure found has the shortest story."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

from tests.kv.lease_world import Limits, ProtocolError, Step, World

from goodput.kv.invariants import InvariantError
from goodput.kv.leases import LeaseTable


@dataclass(frozen=True, slots=True)
class Finding:
    """What an exploration saw. ``story`` leads to ``failure``; both empty when there is none."""

    states: int
    transitions: int
    rests: int
    failure: str = ""
    story: tuple[Step, ...] = ()

    def __str__(self) -> str:
        told = "".join(f"\n  {' '.join(step)}" for step in self.story)
        found = f"{self.failure}:{told}" if self.failure else "no failure"
        return (
            f"{self.states:,} states, {self.transitions:,} transitions, "
            f"{self.rests:,} at rest: {found}"
        )


def explore(limits: Limits, table: type[LeaseTable] = LeaseTable) -> Finding:
    """All reachable worlds around a real table, until one fails or none is left.

    ``progress`` uses up what it does, so a run without further strokes of fate comes to rest:
    a leak is a world at rest with something left. Where the limits lose messages that nobody would
    miss, only safety is checked.
    """
    start = World(limits, table(ack_timeout_s=1.0, grant_timeout_s=1.0))
    parents: dict[Hashable, tuple[Hashable, Step] | None] = {start.key(): None}
    frontier = deque([(start, start.key())])
    transitions = rests = 0
    while frontier:
        world, key = frontier.popleft()
        try:
            progress = set(world.progress())
            rests_here = True
            for step in world.steps():
                transitions += 1
                following = world.copy()
                try:
                    following.take(step)
                except (ProtocolError, InvariantError, KeyError):
                    key = _remember(parents, key, step)
                    raise
                after = following.key()
                rests_here &= step not in progress or after == key
                if after not in parents:
                    parents[after] = (key, step)
                    frontier.append((following, after))
            rests += rests_here
            if rests_here and limits.promises_no_leak:
                world.check_rest()
        except (ProtocolError, InvariantError, KeyError) as failure:
            story = _story(parents, key)
            return Finding(len(parents), transitions, rests, repr(failure), story)
    return Finding(len(parents), transitions, rests)


def _remember(
    parents: dict[Hashable, tuple[Hashable, Step] | None], key: Hashable, step: Step
) -> Hashable:
    failed = ("failed", key, step)
    parents[failed] = (key, step)
    return failed


def _story(
    parents: dict[Hashable, tuple[Hashable, Step] | None], key: Hashable
) -> tuple[Step, ...]:
    steps: list[Step] = []
    while (parent := parents[key]) is not None:
        key, step = parent
        steps.append(step)
    return tuple(reversed(steps))
