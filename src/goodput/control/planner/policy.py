"""What the planner does, as a pure function: what it sees and remembers → a decision.

Pressure is the work that comes in over what the workers can do, of the side that is worse off. With
the same needs each decision lowers pressure by a margin, or removes a worker and leaves pressure
below where anything is ever added: so it comes to rest (tests/control/planner/test_policy.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from goodput.core.config import Role
from goodput.core.operations_config import PlannerConfig

Action = Literal["none", "flip", "add", "remove"]

# Fewer requests than this in the window, or judged ones, say nothing.
_FEW = 8


@dataclass(frozen=True, slots=True)
class Split:
    """Workers by role; either mixed ones, or the other two."""

    prefill: int = 0
    decode: int = 0
    mixed: int = 0

    @property
    def workers(self) -> int:
        """All of them."""
        return self.prefill + self.decode + self.mixed

    def changed(self, role: Role, by: int) -> Split:
        """With so many more workers of a role."""
        return replace(self, **{role: getattr(self, role) + by})

    @property
    def serves(self) -> bool:
        """Whether a request finds a whole path."""
        return self.mixed > 0 or (self.prefill > 0 and self.decode > 0)


@dataclass(frozen=True, slots=True)
class Needs:
    """Work that comes in, in workers who do nothing else. Finite and 0 or more."""

    prefill: float = 0.0
    decode: float = 0.0

    def pressure(self, split: Split) -> float:
        """How busy the busier side would be; 1: it just keeps up."""
        if split.mixed:
            return (self.prefill + self.decode) / split.mixed
        return max(self.prefill / split.prefill, self.decode / split.decode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The moment. ``settled``: no worker is starting, draining or lost.

    ``needs`` is None while the costs are not known; ``attainment`` is None where nothing has an
    SLO. ``requests`` came in the window.
    """

    at: float
    split: Split
    settled: bool = True
    requests: int = 0
    needs: Needs | None = None
    attainment: float | None = None
    target: float = 0.9


@dataclass(frozen=True, slots=True)
class Decision:
    """``role`` is that of the worker added or removed, or the role that a flip ends in."""

    action: Action
    reason: str
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What it wanted last and since when, and when it last changed something (seconds)."""

    wanted: tuple[Action, Role | None] = ("none", None)
    since: float = float("-inf")
    changed: float = float("-inf")


def decide(
    seen: Observation, memory: Memory, config: PlannerConfig, bounds: tuple[int, int]
) -> tuple[Decision, Memory]:
    """The decision at ``seen.at`` and what to remember. ``bounds``: least and most workers."""
    want = _wish(seen, config, bounds)
    if (want.action, want.role) != memory.wanted:
        memory = replace(memory, wanted=(want.action, want.role), since=seen.at)
    if want.action == "none":
        return want, memory
    if seen.at - memory.changed < config.cooldown_s:
        return Decision("none", "cooldown"), memory
    patience = config.relax_s if want.action == "remove" else config.react_s
    if seen.at - memory.since < patience:
        return Decision("none", "waiting"), memory
    return want, Memory(changed=seen.at)


def at_rest(
    seen: Observation, config: PlannerConfig, bounds: tuple[int, int]
) -> tuple[Split, list[Decision]]:
    """The split that it would come to if the moment lasted, and the decisions on the way."""
    decisions: list[Decision] = []
    while (want := _wish(seen, config, bounds)).role is not None:
        decisions.append(want)
        split = seen.split.changed(want.role, -1 if want.action == "remove" else 1)
        if want.action == "flip":
            split = split.changed("decode" if want.role == "prefill" else "prefill", -1)
        seen = replace(seen, split=split)
    return seen.split, decisions


def _wish(seen: Observation, config: PlannerConfig, bounds: tuple[int, int]) -> Decision:
    """What is best if the moment lasts."""
    least, most = bounds
    needs = seen.needs
    if not seen.settled:
        return Decision("none", "unsettled")
    if needs is None:
        return Decision("none", "costs-unknown")
    now = needs.pressure(seen.split)
    missed = seen.attainment is not None and seen.attainment < seen.target
    if seen.split.workers > least and not missed:
        role, then = _best_change(seen.split, needs, -1)
        if role is not None and then < config.low:
            return Decision("remove", "idle", role)
    if now <= config.low:
        return Decision("none", "idle")
    if seen.requests < _FEW:
        return Decision("none", "few-requests")
    if now <= config.high and not missed:
        return Decision("none", "balanced")
    enough = now * (1 - config.margin)
    flip, then = _best_flip(seen.split, needs)
    if flip is not None and then < enough:
        return Decision("flip", f"{flip}-short", flip)
    if seen.split.workers < most:
        role, then = _best_change(seen.split, needs, 1)
        if role is not None and then < enough:
            return Decision("add", f"{role}-short", role)
    return Decision("none", "at-limit")


def _best_change(split: Split, needs: Needs, by: int) -> tuple[Role | None, float]:
    """The role of which one worker more (or fewer) leaves the least pressure, and that pressure."""
    return _best(
        {role: split.changed(role, by) for role in _roles(split)},
        needs,
    )


def _best_flip(split: Split, needs: Needs) -> tuple[Role | None, float]:
    if split.mixed:
        return None, float("inf")
    return _best(
        {
            "prefill": split.changed("prefill", 1).changed("decode", -1),
            "decode": split.changed("decode", 1).changed("prefill", -1),
        },
        needs,
    )


def _best(choices: dict[Role, Split], needs: Needs) -> tuple[Role | None, float]:
    possible = {role: needs.pressure(split) for role, split in choices.items() if split.serves}
    role = min(possible, key=lambda role: possible[role], default=None)
    return role, float("inf") if role is None else possible[role]


def _roles(split: Split) -> tuple[Role, ...]:
    return ("mixed",) if split.mixed else ("prefill", "decode")
