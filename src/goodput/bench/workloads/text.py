"""Text of a stated number of tokens: plain English words, about one token each in any tokenizer."""

from __future__ import annotations

import math
import random

from goodput.bench.workloads.words import WORDS

_SENTENCE_WORDS = 11
# Median, sigma of the logarithm, least and most: all but sigma in tokens.
Length = tuple[int, float, int, int]


def lognormal(rng: random.Random, length: Length) -> int:
    """A length in tokens from a lognormal distribution, clipped."""
    median, sigma, low, high = length
    return min(max(round(rng.lognormvariate(math.log(median), sigma)), low), high)


def prose(rng: random.Random, tokens: int) -> str:
    """Sentences of random words that come to about ``tokens`` tokens, full stops counted."""
    sentences = []
    while tokens > 0:
        words = rng.choices(WORDS, k=min(_SENTENCE_WORDS, max(1, tokens - 1)))
        sentences.append(" ".join(words).capitalize() + ".")
        tokens -= len(words) + 1
    return " ".join(sentences)
