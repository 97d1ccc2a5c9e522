"""The worker with the shortest queue of prompts, then with the fewest sequences."""

from __future__ import annotations

from goodput.router.policies.by_rank import ByRank
from goodput.router.policy import Work, WorkerView


class LeastLoaded(ByRank):
    """Looks at load only: neither at what is cached nor at promises."""

    def rank(self, view: WorkerView, work: Work) -> tuple[float, int, str]:
        return view.queue_s, view.sequences, view.name
