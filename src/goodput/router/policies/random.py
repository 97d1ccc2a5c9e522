"""Any worker: what the others have to beat."""

from __future__ import annotations

import random

from goodput.router.policies.by_rank import ByRank
from goodput.router.policy import Work, WorkerView


class Random(ByRank):
    """Uniform over the workers that can do it; the same ``seed`` gives the same choices."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def rank(self, view: WorkerView, work: Work) -> float:
        return self._random.random()
