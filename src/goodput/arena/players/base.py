"""The face of a player, and what a decision cost."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, Protocol

import msgspec

from goodput.arena.games.rules import Rules

Rung = Literal["choice", "json", "move-line", "token", "retry", "none", "built-in"]
"""How the action was read: constrained by the server, from JSON, from the last ``move:`` line, as
the exact action word, after one retry with feedback, not at all (no move), or chosen by a program
of ours."""


class Observation(msgspec.Struct, frozen=True):
    """What a player is asked: the game, the state as it was when the question was put, the seat,
    and the legal actions. Programs may read the state; models get its text or picture."""

    rules: Rules[Any]
    state: Hashable
    seat: int
    legal: tuple[int, ...]
    turn: int


class Charge(msgspec.Struct, frozen=True):
    """What one part of a decision cost: ``part`` is "answer", "thinking", "retry", "probe"
    (what can the server do?) or the name of a harness part that makes calls of its own."""

    part: str
    calls: int
    prompt_tokens: int
    output_tokens: int


class Decision(msgspec.Struct, kw_only=True):
    """An answer, and its cost.

    ``action`` None is no move (unreadable, refused, timed out, endpoint down: ``error`` says which
    in one sentence, and ``timed_out`` that the time for a move ran out). ``illegal`` holds the word
    that was asked for where it is no legal action. ``latency_s`` runs from the question to the end
    of the answer, all calls of the decision together; ``ttft_s`` is that of the answering call.
    Calls and tokens are of all calls; ``charges`` splits them by part.
    """

    action: int | None
    rung: Rung = "built-in"
    illegal: str | None = None
    error: str | None = None
    latency_s: float = 0.0
    ttft_s: float | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    said: str = ""
    timed_out: bool = False
    charges: tuple[Charge, ...] = ()


class Player(Protocol):
    """Chooses actions. One instance plays one seat of one episode at a time."""

    @property
    def label(self) -> str:
        """The name on the board."""

    @property
    def harness(self) -> tuple[str, ...]:
        """The harness parts that are switched on; of programs and people none."""

    async def decide(self, observation: Observation) -> Decision:
        """The action for this observation. Never raises for what an endpoint does."""

    async def reset(self, seed: int) -> None:
        """A new episode begins: forget the last one; draw from ``seed``."""

    async def close(self) -> None:
        """Give back connections."""
