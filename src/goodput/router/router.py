"""The router: a policy, and the knowledge that it decides on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goodput.kv.hashing import BlockHash, block_hashes
from goodput.router.earliest import EarliestFirstToken
from goodput.router.policy import Placement, RoutingPolicy, Work, WorkerView
from goodput.router.prefix_index import PrefixIndex


class Router:
    """Joins the prefix index with a policy. Costs O(prompt / block_size) per placement."""

    def __init__(self, block_size: int, policy: RoutingPolicy | None = None) -> None:
        self._block_size = block_size
        self._policy = policy if policy is not None else EarliestFirstToken()
        self._index = PrefixIndex()

    def work(self, tokens: Sequence[int], max_new_tokens: int) -> Work:
        """Describe a sequence of ``tokens`` that may grow by ``max_new_tokens``."""
        cached: dict[str, int] = {}
        if len(self._index):
            hashes = block_hashes(tokens, self._block_size)
            cached = {
                worker: blocks * self._block_size
                for worker, blocks in self._index.cached_blocks(hashes).items()
            }
        return Work(len(tokens), -(-max_new_tokens // self._block_size), cached)

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        """Where to run ``work`` from its start; None when no ready worker can."""
        return self._policy.place(work, fleet)

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        """Where to go on with a computed prompt; None when no ready worker can."""
        return self._policy.place_decode(work, fleet)

    def learn(self, worker: str, stored: Iterable[BlockHash], removed: Iterable[BlockHash]) -> None:
        """Take in a worker's cache events."""
        self._index.update(worker, stored, removed)

    def forget(self, worker: str) -> None:
        """Drop what is known of a worker's cache: it died."""
        self._index.forget(worker)
