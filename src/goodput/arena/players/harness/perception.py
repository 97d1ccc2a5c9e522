"""A call that puts into words what matters in the position, before the move is asked for."""

from __future__ import annotations

from typing import Final

MAX_TOKENS: Final = 96
REQUEST: Final = (
    "Do not choose a move yet. Describe in at most four short sentences what matters for the next "
    "move."
)
TITLE: Final = "What you have noticed"
