"""What a trace says about one request, and what is wrong with a line that does not."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import msgspec

from goodput.core.errors import UsageError


class Block(msgspec.Struct, frozen=True):
    """``tokens`` of a prompt; blocks of the same ``id`` have the same content."""

    id: str
    tokens: int


class Row(msgspec.Struct, frozen=True):
    """One recorded request: ``at`` in seconds from the trace's own beginning; lengths in tokens."""

    at: float
    blocks: tuple[Block, ...]
    answer_tokens: int


class Trace(msgspec.Struct, frozen=True):
    """Rows sorted by time. ``tick_s``: the stamps were rounded down to multiples of it (0: not)."""

    rows: list[Row]
    tick_s: float = 0.0


def make_row(at: float, prompt_tokens: int, answer_tokens: int, line: int) -> Row:
    """A row whose prompt nobody shares; an answer that came to nothing still asked for a token.

    Raises ValueError, in words, for what no request can have.
    """
    check_row(at, prompt_tokens, answer_tokens)
    return Row(at, (Block(f"row {line}", prompt_tokens),), max(1, answer_tokens))


def check_row(at: float, prompt_tokens: int, answer_tokens: int) -> None:
    """Raise ValueError, in words, unless the figures can be those of a request."""
    if not 0 <= at < float("inf"):
        raise ValueError(f"its time is {at}")
    if prompt_tokens < 1:
        raise ValueError(f"its prompt has {prompt_tokens} tokens")
    if answer_tokens < 0:
        raise ValueError(f"its answer has {answer_tokens} tokens")


def refuse(path: Path, line: int, reason: str) -> NoReturn:
    """Raise the UsageError about one line of a file."""
    raise UsageError(f"line {line} of {path} is malformed: {reason}")
