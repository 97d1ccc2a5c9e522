"""The worker that has most of the prompt cached, however busy it is."""

from __future__ import annotations

from goodput.router.policies.by_rank import ByRank
from goodput.router.policy import Work, WorkerView


class LongestPrefix(ByRank):
    """Among equals the least loaded; decode workers have no prompts cached and so go by load."""

    def rank(self, view: WorkerView, work: Work) -> tuple[int, float, int, str]:
        return work.uncached(view.name), view.queue_s, view.sequences, view.name
