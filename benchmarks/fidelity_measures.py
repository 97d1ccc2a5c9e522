"""How far one model's predictions are from another's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from goodput.core.percentiles import wilson_interval

Floats = npt.NDArray[np.float64]


@dataclass
class Predictions:
    """Per predicted token: its negative log-likelihood (nats) by both models, the divergence
    KL(reference ‖ model) in nats, and whether both hold the same token most likely."""

    reference_nll: Floats
    nll: Floats
    kl: Floats
    same_top: npt.NDArray[np.bool_]

    def reference_perplexity(self) -> float:
        return math.exp(self.reference_nll.mean())

    def summary(self) -> dict[str, float]:
        """``perplexity_change`` is relative, with the half-width of its 95 % interval (paired)."""
        change = self.nll - self.reference_nll
        spread = 1.96 * change.std(ddof=1) / math.sqrt(len(change))
        return {
            "perplexity": math.exp(self.nll.mean()),
            "perplexity_change": math.expm1(change.mean()),
            "perplexity_change_95": spread,
            "kl": float(self.kl.mean()),
            "top1": float(self.same_top.mean()),
            "predicted_tokens": len(change),
        }


def compare_window(
    reference: npt.NDArray[np.float32], logits: npt.NDArray[np.float32], tokens: Sequence[int]
) -> Predictions:
    """Both [len(tokens), vocab]; the last row is left out, as no token follows it."""
    nll, reference_nll, kl, same = [], [], [], []
    for first in range(0, len(tokens) - 1, 128):  # few rows at a time: a row is a whole vocabulary
        rows = slice(first, min(first + 128, len(tokens) - 1))
        p = torch.log_softmax(torch.from_numpy(reference[rows]).double(), -1)
        q = torch.log_softmax(torch.from_numpy(logits[rows]).double(), -1)
        targets = torch.tensor(tokens[rows.start + 1 : rows.stop + 1])[:, None]
        reference_nll.append(-p.gather(1, targets)[:, 0].numpy())
        nll.append(-q.gather(1, targets)[:, 0].numpy())
        kl.append((p.exp() * (p - q)).sum(-1).numpy())
        same.append((p.argmax(-1) == q.argmax(-1)).numpy())
    return Predictions(*map(np.concatenate, (reference_nll, nll, kl, same)))


def joined(parts: Sequence[Predictions]) -> Predictions:
    return Predictions(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("reference_nll", "nll", "kl", "same_top")
        )
    )


def compare_answers(
    reference: Sequence[list[int]], answers: Sequence[list[int]]
) -> dict[str, float]:
    """How many answers are the reference's to the last token, and how far they go together."""
    same = sum(a == b for a, b in zip(reference, answers, strict=True))
    low, high = wilson_interval(same, len(answers))
    prefixes = [_common(a, b) for a, b in zip(reference, answers, strict=True)]
    return {
        "same_answers": same / len(answers),
        "same_answers_low": low,
        "same_answers_high": high,
        "common_prefix": sum(prefixes) / len(prefixes),
        "mean_length": sum(map(len, reference)) / len(reference),
    }


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    count = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        count += 1
    return count
