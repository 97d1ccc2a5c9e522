"""What the simple policies share: the best prompt worker by a rank, then the best decode worker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from goodput.router.cost import first_token_s
from goodput.router.policy import Placement, Work, WorkerView


class ByRank(ABC):
    """Takes the worker of the lowest rank that can compute the prompt, mixed ones included.

    If that is a prefill worker, the decode worker of the lowest rank goes with it.
    """

    @abstractmethod
    def rank(self, view: WorkerView, work: Work) -> Any:
        """Something comparable; the lowest wins. Called once for each candidate."""

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        takers = [view for view in fleet if view.role == "decode"]
        starters = [
            view for view in fleet if view.role == "mixed" or (view.role == "prefill" and takers)
        ]
        first = self._best(work, starters)
        if first is None:
            return None
        second = self._best(work, takers) if first.role == "prefill" else None
        decode = None if second is None else second.name
        return Placement(first.name, decode, first_token_s(first, work))

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        best = self._best(work, [view for view in fleet if view.role != "prefill"])
        return None if best is None else best.name

    def _best(self, work: Work, views: Sequence[WorkerView]) -> WorkerView | None:
        return min(views, key=lambda view: self.rank(view, work), default=None)
