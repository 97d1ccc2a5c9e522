"""What a prefix cache tells the router: the net change since it was last asked."""

from __future__ import annotations

import msgspec

from goodput.kv.hashing import BlockHash


class CacheEvents(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hashes that became reusable, and hashes that no longer are. No hash is in both."""

    stored: list[BlockHash] = []
    removed: list[BlockHash] = []

    def __bool__(self) -> bool:
        return bool(self.stored or self.removed)


class CacheJournal:
    """Collects the net change between two drains.

    A hash that came and went in between leaves no trace, so the journal can never be larger than
    the pool (what is cached now plus what was cached at the last drain), however rarely it is
    drained.
    """

    def __init__(self) -> None:
        self._stored: dict[BlockHash, None] = {}
        self._removed: dict[BlockHash, None] = {}

    def stored(self, digest: BlockHash) -> None:
        """``digest`` was not reusable and now is."""
        if digest in self._removed:
            del self._removed[digest]
        else:
            self._stored[digest] = None

    def removed(self, digest: BlockHash) -> None:
        """``digest`` was reusable and no longer is."""
        if digest in self._stored:
            del self._stored[digest]
        else:
            self._removed[digest] = None

    def drain(self) -> CacheEvents:
        """The change since the last drain; the journal is empty afterwards."""
        events = CacheEvents(stored=list(self._stored), removed=list(self._removed))
        self._stored.clear()
        self._removed.clear()
        return events
