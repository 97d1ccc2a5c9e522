"""The first tier: copies of evicted blocks in one worker's own memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from goodput.kv.hashing import BlockHash


class RamTier:
    """Bytes by hash, at most ``max_bytes`` in all; the least recently used give way."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._size = 0
        self._blocks: OrderedDict[BlockHash, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def get(self, digest: BlockHash) -> bytes | None:
        """The block, which now counts as just used; None when it is not here."""
        data = self._blocks.get(digest)
        if data is not None:
            self._blocks.move_to_end(digest)
        return data

    def put(self, digest: BlockHash, data: bytes) -> list[tuple[BlockHash, bytes]]:
        """Keep a block that is not here; what had to go for it, or itself if it is too large."""
        self._blocks[digest] = data
        self._size += len(data)
        gone: list[tuple[BlockHash, bytes]] = []
        while self._size > self._max:
            oldest = self._blocks.popitem(last=False)
            self._size -= len(oldest[1])
            gone.append(oldest)
        return gone

    def newest_first(self) -> Iterator[tuple[BlockHash, bytes]]:
        """All blocks, the most recently used first."""
        return reversed(self._blocks.items())
