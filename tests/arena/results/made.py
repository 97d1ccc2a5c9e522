"""Hand-made episodes, of which only the header and the end matter."""

from __future__ import annotations

from typing import Any

from goodput.arena.episode.record import End, Episode, Header, Move


def episode(
    players: tuple[str, ...],
    scores: tuple[float, ...],
    *,
    seed: int = 0,
    game: str = "2048-v1",
    clock: Any = "paused",
    outcome: tuple[float, ...] = (),
    forfeited_by: int | None = None,
    moves: tuple[Move, ...] = (),
    frames: int = 600,
    **header: Any,
) -> Episode:
    return Episode(
        header=Header(game=game, seed=seed, players=players, clock=clock, **header),
        moves=moves,
        end=End(
            frames=frames,
            steps=len(moves),
            scores=scores,
            outcome=outcome,
            reason="over" if forfeited_by is None else "forfeit",
            forfeited_by=forfeited_by,
            seconds=1.0,
            digest="",
        ),
    )


def alone(player: str, *scores: float, **more: Any) -> list[Episode]:
    """One episode a seed, from seed 0 on."""
    return [episode((player,), (score,), seed=seed, **more) for seed, score in enumerate(scores)]


def match(first: str, second: str, points: float, seed: int = 0, **more: Any) -> Episode:
    """A game of two in which the first seat got so many points."""
    outcome = (points, 1 - points)
    return episode(
        (first, second), outcome, seed=seed, game="tictactoe-v1", outcome=outcome, **more
    )
