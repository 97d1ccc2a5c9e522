"""``chat``: short single-turn conversations, as a small model on a small machine gets them.

Lengths are lognormal: prompts have a median of 120 tokens (16 to 512), answers of 45 (8 to 160).
Each prompt begins with other random words, so that a prefix cache can reuse only what the chat
template puts in front of it.
"""

from __future__ import annotations

import math
import random

from goodput.bench.workloads.base import Message, PlannedRequest
from goodput.bench.workloads.words import WORDS
from goodput.core.slo import SLO

_SENTENCE_WORDS = 11
_QUESTION = "In a few plain sentences, tell me what you make of this."


class ChatWorkload:
    """Prompts of random words; about one token a word, a full stop and a question included."""

    name = "chat"
    slo = SLO(ttft=1.0, tpot=0.100)

    def request(self, seed: int, index: int) -> PlannedRequest:
        """The ``index``-th request of ``seed``."""
        rng = random.Random(f"chat/{seed}/{index}")
        prompt_tokens = _lognormal(rng, median=120, sigma=0.7, low=16, high=512)
        answer_tokens = _lognormal(rng, median=45, sigma=0.6, low=8, high=160)
        content = _prose(rng, prompt_tokens - len(_QUESTION.split())) + " " + _QUESTION
        return PlannedRequest(messages=(Message("user", content),), max_tokens=answer_tokens)


def _lognormal(rng: random.Random, *, median: int, sigma: float, low: int, high: int) -> int:
    return min(max(round(rng.lognormvariate(math.log(median), sigma)), low), high)


def _prose(rng: random.Random, tokens: int) -> str:
    """Sentences of random words that come to about ``tokens`` tokens, full stops counted."""
    sentences = []
    while tokens > 0:
        words = rng.choices(WORDS, k=min(_SENTENCE_WORDS, max(1, tokens - 1)))
        sentences.append(" ".join(words).capitalize() + ".")
        tokens -= len(words) + 1
    return " ".join(sentences)
