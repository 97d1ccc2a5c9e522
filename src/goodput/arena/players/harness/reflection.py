"""A call that judges the last moves, before the next one is asked for."""

from __future__ import annotations

from typing import Final

MAX_TOKENS: Final = 64
TITLE: Final = "What you have learned from your last moves"


def request(moves: str) -> str:
    """The question about the last moves (``Memory.text``, not empty)."""
    return (
        f"Your last moves:\n{moves}\n\nDo not choose a move yet. Say in one or two sentences what "
        "these moves have achieved and what to do differently."
    )
