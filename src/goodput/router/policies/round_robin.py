"""One worker after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from goodput.router.policies.by_rank import ByRank
from goodput.router.policy import Work, WorkerView


class RoundRobin(ByRank):
    """The worker whose last turn is longest ago, by name among those that had none.

    Workers that come and go keep their place in the round.
    """

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}
        self._numbers = count(1)

    def rank(self, view: WorkerView, work: Work) -> tuple[int, str]:
        return self._turns.get(view.name, 0), view.name

    def _best(self, work: Work, views: Sequence[WorkerView]) -> WorkerView | None:
        best = super()._best(work, views)
        if best is not None:
            self._turns[best.name] = next(self._numbers)
        return best
