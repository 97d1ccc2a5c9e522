"""What an episode leaves behind: JSON lines of a header, the moves and an end."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from goodput.arena.players.base import Charge

SCHEMA: Final = "goodput.episode/1"

ClockKind = Literal["paused", "virtual", "wall", "tokens"]
Fate = Literal["applied", "none", "illegal", "dropped", "forfeit"]
Reason = Literal["over", "frames", "steps", "forfeit", "silent"]


class Header(msgspec.Struct, frozen=True, kw_only=True, tag="header"):
    """How the episode was set up. ``slow_down`` multiplies every latency before it is turned into
    frames (1: as measured). ``token_ttft_s`` and ``token_rate`` (tokens per second) are what the
    "tokens" clock counts with, None for the others. ``harness`` lists the parts that were switched
    on."""

    schema: Literal["goodput.episode/1"] = SCHEMA
    game: str
    seed: int
    players: tuple[str, ...]
    clock: ClockKind
    slow_down: float = 1.0
    token_ttft_s: float | None = None
    token_rate: float | None = None
    harness: tuple[str, ...] = ()


class Move(msgspec.Struct, frozen=True, kw_only=True, tag="move"):
    """One decision of one seat.

    Asked at game frame ``asked_frame``, answered at ``frame`` (their difference is the staleness).
    ``action`` None: no move was applied, because of ``fate``: "none" (no readable answer),
    "illegal" (not legal in the state that was asked about), "dropped" (legal then, but late, and
    the game drops late moves or the state had made it illegal), "forfeit" (it ended the game), else
    "applied". ``late``: while the player thought, frames changed what it sees. ``digest`` is the
    state's after the move.
    """

    seat: int
    asked_frame: int
    frame: int
    action: int | None
    wanted: str
    fate: Fate
    late: bool
    rung: str
    latency_s: float
    ttft_s: float | None
    prompt_tokens: int
    output_tokens: int
    calls: int
    error: str | None
    digest: str
    charges: tuple[Charge, ...] = ()


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """How it ended. ``reason``: "over" (the game's rules), "frames" or "steps" (a limit),
    "forfeit", "silent" (the only player's endpoint failed too often in a row). ``seconds`` is the
    wall time that the episode took."""

    frames: int
    steps: int
    scores: tuple[float, ...]
    outcome: tuple[float, ...]
    reason: Reason
    forfeited_by: int | None = None
    seconds: float
    digest: str


Line = Header | Move | End


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """A whole record."""

    header: Header
    moves: tuple[Move, ...]
    end: End
