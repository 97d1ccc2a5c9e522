"""Where did these words stand before? An index of a text's own n-grams, for guessing what follows.

Answers quote: a summary its source, an edit the code that it changes. When the last few tokens of
a text stood in it before, what followed them then is a good guess of what follows now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LENGTHS: Final = (3, 2)
"""Tokens that must agree, tried in this order: longer agreement is better evidence."""

_MOST_ENTRIES: Final = 16_384
"""Of one table; at twice as many (about 4 MB of Python objects) the oldest are forgotten."""


class PromptLookup:
    """The latest place of every n-gram of one growing text. O(1) amortised work per token.

    The text itself is the caller's: it may only ever grow at its end.
    """

    __slots__ = ("_indexed", "_newer", "_older")

    def __init__(self) -> None:
        self._newer: dict[tuple[int, ...], int] = {}
        self._older: dict[tuple[int, ...], int] = {}
        self._indexed = 0

    def extend(self, tokens: Sequence[int]) -> None:
        """Take in what was added to ``tokens`` since the last call."""
        # The grams that end with the last token have no continuation yet, and must not find
        # themselves.
        for end in range(max(self._indexed, min(LENGTHS)), len(tokens)):
            for length in LENGTHS:
                if length <= end:
                    self._newer[tuple(tokens[end - length : end])] = end
        self._indexed = max(self._indexed, len(tokens))
        if len(self._newer) >= _MOST_ENTRIES:
            self._newer, self._older = {}, self._newer

    def find(self, tokens: Sequence[int]) -> tuple[int, int] | None:
        """(position, length): what followed the last ``length`` tokens when they stood there last.

        None when even the last two are new. Call ``extend`` first.
        """
        for length in LENGTHS:
            gram = tuple(tokens[-length:])
            position = self._newer.get(gram) or self._older.get(gram)
            if position is not None:
                return position, length
        return None


def copied(tokens: Sequence[int], position: int, count: int) -> list[int]:
    """``count`` tokens from ``position`` on; behind the text's end the copy copies itself.

    So a text that repeats itself with any period, however short, is continued.
    """
    size = len(tokens)
    result: list[int] = []
    for place in range(position, position + count):
        result.append(tokens[place] if place < size else result[place - size])
    return result
