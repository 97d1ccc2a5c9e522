"""Sentences for the transformer: words of a fixed vocabulary, and a small encoder of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from goodput.video.scenes.captions import VOCABULARY, words_of

MOST_WORDS: Final = 40
_PADDING, _START, _UNKNOWN, _FIRST_WORD = range(4)
_IDS: Final = {word: _FIRST_WORD + number for number, word in enumerate(VOCABULARY)}


def tokens_of(sentences: Sequence[str]) -> Tensor:
    """Ids, (sentences, 1 + most words in one), each after a start token, filled with padding.

    Words after the fortieth are left out; an empty sentence is the start token alone, which is how
    guidance asks for "any film".
    """
    rows = [[_IDS.get(word, _UNKNOWN) for word in words_of(x)[:MOST_WORDS]] for x in sentences]
    longest = max(map(len, rows))
    return torch.tensor([[_START, *row, *[_PADDING] * (longest - len(row))] for row in rows])


def unknown_words(sentence: str) -> list[str]:
    """Words that the model has never read, in order."""
    return [word for word in words_of(sentence) if word not in _IDS]


class TextEncoder(nn.Module):
    """A transformer over words, trained together with what reads it."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.words = nn.Embedding(_FIRST_WORD + len(VOCABULARY), width)
        self.places = nn.Embedding(1 + MOST_WORDS, width)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.words.weight, std=0.5)
        nn.init.normal_(self.places.weight, std=0.1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (sentences, words, width), and which of them are words (sentences, words)."""
        seen = tokens != _PADDING
        x = self.words(tokens) + self.places.weight[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, seen[:, None, None, :])
        return self.norm(x), seen


class _Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // 32
        self.before = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        mixed = self.mix(self.before(x)).unflatten(2, (3, self.heads, 32))
        q, k, v = mixed.permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        out: Tensor = x + self.down(gelu(self.up(self.between(x))))
        return out
