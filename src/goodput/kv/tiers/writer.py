"""Writes blocks to disk beside the engine's steps."""

from __future__ import annotations

import sys
import time
from threading import Condition, Thread
from typing import Final

from goodput.kv.hashing import BlockHash
from goodput.kv.tiers.disk import DiskTier

_MOST_PENDING: Final = 64
# A full or failing disk is left alone for so long.
_PAUSE_S: Final = 30.0


class DiskWriter:
    """One thread with a short queue. A block that finds it full is dropped: this is a cache."""

    def __init__(self, disk: DiskTier) -> None:
        self._disk = disk
        self._pending: dict[BlockHash, bytes] = {}
        self._changed = Condition()
        self._paused_until = 0.0
        self.dropped = 0
        Thread(target=self._run, name="kv-disk", daemon=True).start()

    def submit(self, digest: BlockHash, data: bytes) -> None:
        """Have a block written soon."""
        with self._changed:
            if len(self._pending) >= _MOST_PENDING or time.monotonic() < self._paused_until:
                self.dropped += 1
                return
            self._pending[digest] = data
            self._changed.notify_all()

    def get(self, digest: BlockHash) -> bytes | None:
        """A block that waits to be written."""
        return self._pending.get(digest)

    def drain(self, until: float) -> None:
        """Wait until all is written, but no longer than ``until`` (monotonic seconds)."""
        with self._changed:
            while self._pending and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)

    def write(self, digest: BlockHash, data: bytes) -> None:
        """Write now; a disk that refuses is told of once and left alone for a while."""
        if time.monotonic() < self._paused_until:
            self.dropped += 1
            return
        try:
            if digest not in self._disk:
                self._disk.write(digest, data)
        except OSError as error:
            self._paused_until = time.monotonic() + _PAUSE_S
            self.dropped += 1
            sys.stderr.write(f"KV blocks are not kept on disk for {_PAUSE_S:.0f} s: {error}\n")

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._pending:
                    self._changed.wait()
                digest, data = next(iter(self._pending.items()))
            self.write(digest, data)
            with self._changed:
                del self._pending[digest]
                self._changed.notify_all()
