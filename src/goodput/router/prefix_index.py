"""Which worker has which prefix blocks cached, as their own reports tell it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from goodput.kv.hashing import BlockHash

_STRIDE: Final = 8


@dataclass(slots=True, frozen=True)
class Matches:
    """Who has how many leading blocks of one text.

    ``runs`` has (blocks, bit mask of the workers whose run ends there), longest run first.
    """

    runs: tuple[tuple[int, int], ...] = ()
    bits: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def blocks(self, worker: str) -> int:
        """The leading blocks that ``worker`` has."""
        return self.among([worker], 1).get(worker, 0)

    def among(self, workers: Sequence[str], block_size: int) -> dict[str, int]:
        """The leading tokens that each of ``workers`` has, those with none left out."""
        bits = [(worker, self.bits.get(worker, 0)) for worker in workers]
        return {
            worker: blocks * block_size
            for blocks, mask in self.runs
            for worker, bit in bits
            if mask & bit
        }

    def deepest(self, count: int) -> list[str]:
        """Up to ``count`` workers with the longest runs."""
        found: list[str] = []
        for _, mask in self.runs:
            for number in _numbers(mask):
                if len(found) == count:
                    return found
                found.append(self.names[number])
        return found


class PrefixIndex:
    """Hash → its holders, bounded to ``max_blocks`` pairs of hash and worker.

    A hint, never a truth: a block may be evicted before its report arrives, and the worker then
    computes it. Beyond the bound the hashes stored longest ago are dropped; one that was asked
    for since it became crowded gets a second chance.

    Holders are a bit mask, so that a run shared by any number of workers is followed with one
    operation a block; the mask of a single holder is one object for all its hashes.
    """

    def __init__(self, max_blocks: int) -> None:
        self._max = max_blocks
        self._crowded = max_blocks * 7 // 8
        self._pairs = 0
        self._holders: OrderedDict[BlockHash, int] = OrderedDict()
        self._bits: dict[str, int] = {}
        self._names: list[str] = []
        # What each worker holds, so that its death costs its own blocks and not the index.
        self._held: dict[str, set[BlockHash]] = {}
        self._used: set[BlockHash] = set()

    def __len__(self) -> int:
        return self._pairs

    def __contains__(self, digest: BlockHash) -> bool:
        return digest in self._holders

    def held(self, worker: str) -> frozenset[BlockHash]:
        """All that ``worker`` is believed to have (a copy)."""
        return frozenset(self._held.get(worker, ()))

    def update(
        self, worker: str, stored: Iterable[BlockHash], removed: Iterable[BlockHash]
    ) -> None:
        """Apply one report of ``worker``."""
        bit = self._bit(worker)
        held = self._held[worker]
        holders = self._holders
        for digest in removed:
            if digest in held:
                held.remove(digest)
                self._drop(digest, bit)
        for digest in stored:
            if digest not in held:
                held.add(digest)
                self._pairs += 1
                before = holders.get(digest)
                holders[digest] = bit if before is None else before | bit
        while self._pairs > self._max:
            self._evict()

    def forget(self, worker: str) -> None:
        """The worker's cache is gone (it died, or tells it anew). O(what it held)."""
        held = self._held.get(worker)
        if held:
            bit = self._bits[worker]
            for digest in held:
                self._drop(digest, bit)
            held.clear()

    def matches(self, hashes: Sequence[BlockHash]) -> Matches:
        """Who has how many of ``hashes``, counted from the first.

        A hole within a stride of blocks is not seen; what is foreseen there is then not reused.
        """
        holders = self._holders
        runs: list[tuple[int, int]] = []
        alive = -1
        depth, count = 0, len(hashes)
        next_stride = 1
        while depth < count:
            # Most often by far the same workers go on: then a stride costs one look, which is a
            # miss of the processor's cache each. Texts are evicted from their end, so what has a
            # block nearly always has those before it.
            if depth >= next_stride:
                ahead = depth + _STRIDE
                if ahead <= count and holders.get(hashes[ahead - 1], 0) == alive:
                    depth = next_stride = ahead
                    continue
                next_stride = ahead
            here = alive & holders.get(hashes[depth], 0)
            if here != alive:
                if depth:
                    runs.append((depth, alive & ~here))
                alive = here
                if not here:
                    break
            depth += 1
        else:
            if depth:
                runs.append((depth, alive))
        if self._pairs > self._crowded:
            self._used.update(hashes[:depth])
        return Matches(tuple(reversed(runs)), self._bits, self._names)

    def _bit(self, worker: str) -> int:
        bit = self._bits.get(worker)
        if bit is None:
            bit = self._bits[worker] = 1 << len(self._names)
            self._names.append(worker)
            self._held[worker] = set()
        return bit

    def _drop(self, digest: BlockHash, bit: int) -> None:
        left = self._holders[digest] & ~bit
        self._pairs -= 1
        if left:
            self._holders[digest] = left
        else:
            del self._holders[digest]
            self._used.discard(digest)

    def _evict(self) -> None:
        digest, mask = self._holders.popitem(last=False)
        if digest in self._used:
            self._used.remove(digest)
            self._holders[digest] = mask
            return
        for number in _numbers(mask):
            self._held[self._names[number]].discard(digest)
            self._pairs -= 1


def _numbers(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
