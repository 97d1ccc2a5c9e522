"""Figures of the Lmgame-Bench paper (arXiv 2505.15146), to stand beside ours.

Its games have rules and units of their own, so only the place between the random player (0) and the
human one (1) can be set beside ours, and that loosely: our reference is a search player.
"""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.arena.results.statistics import anchored


class PaperScore(msgspec.Struct, frozen=True, kw_only=True):
    """A game of the paper: the mean scores of its random and human players, and that of its best
    model with the harness (None where it is not known to us). ``ours`` is our game of that kind."""

    game: str
    ours: str
    random: float
    human: float
    model: str | None = None
    score: float | None = None

    @property
    def anchored(self) -> float | None:
        """Where the model lies between random (0) and human (1)."""
        return None if self.score is None else anchored(self.score, self.random, self.human)


PAPER: Final = (
    PaperScore(game="Sokoban", ours="sokoban-v1", random=0, human=9.7, model="o3", score=8),
    PaperScore(
        game="Super Mario Bros.",
        ours="platformer-v1",
        random=987,
        human=4333,
        model="o3",
        score=3445,
    ),
    PaperScore(game="Tetris", ours="tetris-place-v1", random=10.2, human=353, model="o3", score=42),
    PaperScore(game="2048", ours="2048-v1", random=100.4, human=115.5, model="o3", score=128),
    PaperScore(
        game="Candy Crush", ours="match3-v1", random=116.5, human=283, model="o3", score=647
    ),
    PaperScore(game="Ace Attorney", ours="courtroom-v1", random=0, human=17.3),
)
