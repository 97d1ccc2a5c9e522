"""Drafts for one sequence: which tokens may come next, and how likely each guess is to be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.engine.lookup import PromptLookup, copied

_FOLLOWING: Final = 0
"""Key of the evidence that the token before was already guessed right from the same place."""

_FIRST_RATES: Final = {_FOLLOWING: 0.7, 2: 0.2, 3: 0.4}
"""How often a guess is right at first, by its evidence: the agreeing tokens, or _FOLLOWING."""

_WEIGHT: Final = 0.15
"""Of one guess in the running mean of its kind; a dozen wrong ones end drafting by that kind."""


class Drafter:
    """Guesses the continuation of one growing text and keeps score of its guesses.

    Every guess is judged by the tokens that really came, whether or not it was tried: so a sequence
    that stopped drafting, because it guessed badly, takes it up again when its text becomes
    predictable, and trying costs nothing until then. O(1) amortised work per token.
    """

    __slots__ = ("_at", "_evidence", "_lookup", "_rates", "_source")

    def __init__(self) -> None:
        self._lookup = PromptLookup()
        self._rates = dict(_FIRST_RATES)
        self._at = 0  # the position in the text that the last guess begins at
        self._source: int | None = None  # the position that it was copied from; None: no guess
        self._evidence = _FOLLOWING

    def propose(self, tokens: Sequence[int], most: int) -> list[int]:
        """Up to ``most`` (>= 1) tokens that may follow ``tokens``; none when nothing is like it.

        ``tokens`` is the same text at every call, longer each time or unchanged.
        """
        if len(tokens) > self._at:
            self._lookup.extend(tokens)
            if not self._follow(tokens):
                self._source, self._evidence = self._lookup.find(tokens) or (None, _FOLLOWING)
            self._at = len(tokens)
        return [] if self._source is None else copied(tokens, self._source, most)

    def chances(self) -> tuple[float, float]:
        """Of the last proposal: that its first token is right, and each one after a right one."""
        return self._rates[self._evidence], self._rates[_FOLLOWING]

    def _follow(self, tokens: Sequence[int]) -> bool:
        """Score the last guess by what came; when all of that is right, go on from where it ended.

        Rather further along the same quotation than to the latest place of the last three tokens.
        """
        if self._source is None:
            return False
        for token in tokens[self._at :]:
            # More may have come than was guessed: it counts by the place that was copied from.
            right = token == tokens[self._source]
            self._rates[self._evidence] += _WEIGHT * (right - self._rates[self._evidence])
            if not right:
                return False
            self._source += 1
            self._evidence = _FOLLOWING
        return True
