"""Which worker has which prefix blocks cached, as their own reports tell it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from goodput.kv.hashing import BlockHash


class PrefixIndex:
    """Hash → set of workers (a bit mask), bounded to ``max_hashes``.

    A hint, never a truth: a block may be evicted before its report arrives, and the worker then
    computes it. Beyond the bound the hashes stored longest ago are dropped.
    """

    def __init__(self, max_hashes: int = 262_144) -> None:
        self._max = max_hashes
        self._holders: OrderedDict[BlockHash, int] = OrderedDict()
        self._bits: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._holders)

    def update(
        self, worker: str, stored: Iterable[BlockHash], removed: Iterable[BlockHash]
    ) -> None:
        """Apply one report of ``worker``."""
        bit = self._bits.setdefault(worker, 1 << len(self._bits))
        for digest in removed:
            self._drop(digest, bit)
        for digest in stored:
            self._holders[digest] = self._holders.get(digest, 0) | bit
            self._holders.move_to_end(digest)
        while len(self._holders) > self._max:
            self._holders.popitem(last=False)

    def forget(self, worker: str) -> None:
        """The worker's cache is gone (it died). O(index)."""
        bit = self._bits.get(worker)
        if bit is not None:
            for digest in list(self._holders):
                self._drop(digest, bit)

    def cached_blocks(self, hashes: Sequence[BlockHash]) -> dict[str, int]:
        """For each worker the length of the longest run of ``hashes``, from the first, it has."""
        depths: dict[str, int] = {}
        alive = -1
        for depth, digest in enumerate(hashes, start=1):
            alive &= self._holders.get(digest, 0)
            if not alive:
                break
            for worker, bit in self._bits.items():
                if alive & bit:
                    depths[worker] = depth
        return depths

    def _drop(self, digest: BlockHash, bit: int) -> None:
        left = self._holders.get(digest, 0) & ~bit
        if left:
            self._holders[digest] = left
        else:
            self._holders.pop(digest, None)
