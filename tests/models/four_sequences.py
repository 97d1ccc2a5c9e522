"""Four sequences of different lengths in one pool: prefilled in one step, then decoded together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tests.models.small_models import TOKENS
from tests.models.stepping import step

from goodput.models.ops.base import Decoder

LENGTHS = (1, 33, 90, 148)
TABLES = [list(range(first, first + 12)) for first in (40, 3, 15, 27)]
"""Block tables, apart from each other and in no order: room for 192 tokens each."""

Logits = npt.NDArray[np.float32]


def prefill(model: Decoder) -> Logits:
    """The first LENGTHS tokens of TOKENS: logits of each sequence's last row, [4, vocab]."""
    rows = step(model, [(TOKENS[:n], 0, t) for n, t in zip(LENGTHS, TABLES, strict=True)])
    return rows[np.cumsum(LENGTHS) - 1]


def decode(model: Decoder, tokens: Sequence[int], number: int = 0) -> Logits:
    """The ``number``-th token after the prefill, one for each sequence: [4, vocab]."""
    placed = zip(tokens, LENGTHS, TABLES, strict=True)
    return step(model, [([token], n + number, table) for token, n, table in placed])


def forced(model: Decoder, steps: int) -> Logits:
    """Prefill, then ``steps`` decode steps of given tokens: [1 + steps, 4, vocab]."""
    given = (TOKENS[number : number + 4] for number in range(steps))
    first = prefill(model)
    return np.array([first, *(decode(model, four, n) for n, four in enumerate(given))])


def greedy(model: Decoder, steps: int) -> npt.NDArray[np.intp]:
    """Prefill, then decode what was chosen: [1 + steps, 4] tokens."""
    chosen = [prefill(model).argmax(1)]
    for number in range(steps):
        chosen.append(decode(model, chosen[-1].tolist(), number).argmax(1))
    return np.array(chosen)
