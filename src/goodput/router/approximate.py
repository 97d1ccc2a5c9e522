"""What is cached where no worker tells: the router's own decisions suggest it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from goodput.kv.hashing import BlockHash
from goodput.router.prefix_index import PrefixIndex


class DecisionMemory:
    """Believes for ``ttl_s`` seconds that a worker has what it was sent. Writes to ``index``.

    Its memory is that of the index plus one entry per decision of the last ``ttl_s`` seconds.
    """

    def __init__(self, index: PrefixIndex, ttl_s: float) -> None:
        self._index = index
        self._ttl_s = ttl_s
        self._decisions: deque[tuple[float, str, Sequence[BlockHash]]] = deque()
        self._newest: dict[tuple[str, BlockHash], float] = {}

    def sent(self, worker: str, hashes: Sequence[BlockHash], now: float) -> None:
        """``worker`` computes a text with these full blocks now."""
        self.expire(now)
        until = now + self._ttl_s
        self._index.update(worker, hashes, [])
        self._decisions.append((until, worker, hashes))
        for digest in hashes:
            self._newest[worker, digest] = until

    def expire(self, now: float) -> None:
        """Forget what nobody asked for again within the time."""
        while self._decisions and self._decisions[0][0] <= now:
            until, worker, hashes = self._decisions.popleft()
            old = [digest for digest in hashes if self._newest.get((worker, digest)) == until]
            for digest in old:
                del self._newest[worker, digest]
            self._index.update(worker, [], old)

    def forget(self, worker: str) -> None:
        """The worker died."""
        self._index.forget(worker)
