"""All tiers of one worker: what the pool evicts is kept, and read back where that is faster."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goodput.core.tiers_config import TiersConfig
from goodput.kv.hashing import BlockHash
from goodput.kv.shared_pool import SharedPool
from goodput.kv.tiers.disk import DiskTier
from goodput.kv.tiers.ram import RamTier
from goodput.kv.tiers.writer import DiskWriter

_WEIGHT: Final = 0.2
_FORGOTTEN: Final = 0.99


@dataclass(slots=True)
class _Reads:
    """How many blocks were read from a tier, and how long one takes (seconds, a moving mean)."""

    seconds: float
    count: int = 0

    def pay(self, computed_s: float) -> bool:
        """Whether a block is read faster than computed. One slow read is not believed forever."""
        if self.seconds < computed_s:
            return True
        self.seconds *= _FORGOTTEN
        return False

    def observe(self, seconds: float) -> None:
        self.count += 1
        self.seconds += _WEIGHT * (seconds - self.seconds)


class Tiers:
    """Copies between the blocks of ``pool`` that its worker owns and the tiers.

    A disk that fails costs what it would have kept, nothing else.
    """

    def __init__(self, config: TiersConfig, pool: SharedPool, folder: Path) -> None:
        """``folder`` is of this very model and layout. Raises OSError when it cannot be made."""
        self._pool = pool
        self._ram = RamTier(config.ram_mb * 2**20)
        self._disk = DiskTier(folder, config.disk_mb * 2**20) if config.disk_mb else None
        self._writer = None if self._disk is None else DiskWriter(self._disk)
        # First guesses, for the first reads to correct.
        self.from_ram = _Reads(2e-4)
        self.from_disk = _Reads(2e-3)

    def keep(self, digest: BlockHash, block: int) -> None:
        """Copy a block that is about to be overwritten."""
        if self._ram.get(digest) is None:
            self._pass_on(self._ram.put(digest, bytes(self._pool.block(block))))

    def fetch(
        self, hashes: Sequence[BlockHash], blocks: Sequence[int], computed_s: float, within_s: float
    ) -> tuple[int, bool]:
        """Fill ``blocks`` with the blocks of ``hashes``, from the first on, while it pays.

        Reading one pays when it takes less than ``computed_s`` seconds. Returns how many were
        filled, and whether the time ``within_s`` ended before the blocks did.
        """
        until = time.monotonic() + within_s
        for number, (digest, block) in enumerate(zip(hashes, blocks, strict=True)):
            if time.monotonic() > until:
                return number, True
            if not self._read(digest, self._pool.block(block), computed_s):
                return number, False
        return len(blocks), False

    def settle(self, cached: Iterable[tuple[BlockHash, int]], within_s: float) -> None:
        """The worker ends: have on disk what fits into the time, what was used last first.

        ``cached`` are the blocks in the pool, in that order.
        """
        if self._writer is None:
            return
        until = time.monotonic() + within_s
        self._writer.drain(until)
        for digest, block in cached:
            if time.monotonic() > until:
                return
            self._writer.write(digest, bytes(self._pool.block(block)))
        for digest, data in self._ram.newest_first():
            if time.monotonic() > until:
                return
            self._writer.write(digest, data)

    def _read(self, digest: BlockHash, room: memoryview, computed_s: float) -> bool:
        began = time.monotonic()
        data = self._ram.get(digest)
        if data is None and self._writer is not None:
            data = self._writer.get(digest)
        if data is not None and self.from_ram.pay(computed_s):
            room[:] = data
            self.from_ram.observe(time.monotonic() - began)
            return True
        if self._disk is None or not self.from_disk.pay(computed_s):
            return False
        try:
            if not self._disk.read_into(digest, room):
                return False
        except OSError:
            return False
        self.from_disk.observe(time.monotonic() - began)
        return True

    def _pass_on(self, dropped: Iterable[tuple[BlockHash, bytes]]) -> None:
        if self._writer is not None:
            for digest, data in dropped:
                self._writer.submit(digest, data)
