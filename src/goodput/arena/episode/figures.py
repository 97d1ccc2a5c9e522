"""What episodes say about a seat's speed and care: the arena's goodput and what it is made of.

- **goodput**: on-time legal decisions per second: moves that were applied and not late, over the
  seconds that passed for the player. Those are game time, of which 60 frames are a second; under
  the paused clock, where the game waits, thinking time is added.
- **staleness**: frames between the state that a decision was made for and the one that it met.
- **late share**: decisions that met a state which looked otherwise, of all decisions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from goodput.arena.episode.record import Episode, Fate, Move
from goodput.arena.games.rules import FRAMES_PER_SECOND
from goodput.arena.players.base import Charge
from goodput.core.percentiles import Percentiles, percentiles


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One seat's figures over one or more episodes. Shares are of ``decisions``; None where there
    is nothing to divide by. ``fates`` and ``rungs`` count decisions; ``charges`` sum what each part
    of the decisions cost."""

    episodes: int
    decisions: int
    on_time: int
    seconds: float
    late: int
    forfeits: int
    fates: dict[Fate, int]
    rungs: dict[str, int]
    staleness_frames: Percentiles | None
    latency_s: Percentiles | None
    ttft_s: Percentiles | None
    calls: int
    prompt_tokens: int
    output_tokens: int
    charges: tuple[Charge, ...]

    @property
    def goodput(self) -> float | None:
        """On-time legal decisions per second."""
        return self.on_time / self.seconds if self.seconds > 0 else None

    @property
    def late_share(self) -> float | None:
        return self.late / self.decisions if self.decisions else None


def figures_of(episodes: Iterable[tuple[Episode, int]]) -> Figures:
    """Figures of one player; pairs of an episode and the seat that the player had in it."""
    episodes = list(episodes)
    moves = [move for episode, seat in episodes for move in _moves(episode, seat)]
    # A forfeit by the clock has no answer, so nothing is known of its age.
    answered = [move for move in moves if move.fate != "forfeit"]
    return Figures(
        episodes=len(episodes),
        decisions=len(moves),
        on_time=sum(move.fate == "applied" and not move.late for move in moves),
        seconds=sum(_seconds(episode, seat) for episode, seat in episodes),
        late=sum(move.late for move in moves),
        forfeits=sum(episode.end.forfeited_by == seat for episode, seat in episodes),
        fates=dict(Counter(move.fate for move in moves)),
        rungs=dict(Counter(move.rung for move in moves)),
        staleness_frames=percentiles(move.frame - move.asked_frame for move in answered),
        latency_s=percentiles(move.latency_s for move in moves),
        ttft_s=percentiles(move.ttft_s for move in moves),
        calls=sum(move.calls for move in moves),
        prompt_tokens=sum(move.prompt_tokens for move in moves),
        output_tokens=sum(move.output_tokens for move in moves),
        charges=summed(charge for move in moves for charge in move.charges),
    )


def summed(charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """One charge a part, in the order in which the parts first appear."""
    sums: dict[str, Charge] = {}
    for charge in charges:
        before = sums.get(charge.part, Charge(charge.part, 0, 0, 0))
        sums[charge.part] = Charge(
            charge.part,
            before.calls + charge.calls,
            before.prompt_tokens + charge.prompt_tokens,
            before.output_tokens + charge.output_tokens,
        )
    return tuple(sums.values())


def _moves(episode: Episode, seat: int) -> list[Move]:
    return [move for move in episode.moves if move.seat == seat]


def _seconds(episode: Episode, seat: int) -> float:
    """The seconds that passed for a seat."""
    game = episode.end.frames / FRAMES_PER_SECOND
    if episode.header.clock != "paused":
        return game
    return game + sum(move.latency_s for move in _moves(episode, seat))
