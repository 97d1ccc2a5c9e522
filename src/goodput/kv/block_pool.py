"""One worker's share of the KV blocks: who references each, and which hold a reusable prefix.

All workers of a host map one pool, and each allocates only in its own range of ids. A block of
another range reaches a sequence by a lease; it is never counted here (see ``owns``).

Every own block is in exactly one of three places: *free*, *referenced* (count >= 1), or *cached*
(count 0, but its content is known by a hash, so that it may be reused until it is evicted).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence

from goodput.kv.cache_events import CacheEvents, CacheJournal
from goodput.kv.hashing import BlockHash
from goodput.kv.invariants import InvariantError, require


class BlockPool:
    """Reference counts, free list and prefix cache over the ids ``first_block .. + num_blocks``."""

    def __init__(
        self, first_block: int, num_blocks: int, block_size: int, prefix_cache: bool = True
    ) -> None:
        if first_block < 0 or num_blocks < 1 or block_size < 1:
            raise ValueError(
                f"a pool of {num_blocks} blocks of {block_size} tokens from block {first_block} "
                "is not possible"
            )
        self.first_block = first_block
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.prefix_cache = prefix_cache
        self._references = [0] * num_blocks
        # A stack: the block freed last is taken first, while its memory is still in the CPU cache.
        self._free = list(range(first_block + num_blocks - 1, first_block - 1, -1))
        self._evictable: OrderedDict[int, None] = OrderedDict()
        self._hash_of: dict[int, BlockHash] = {}
        self._block_of: dict[BlockHash, int] = {}
        self._journal = CacheJournal()
        self.on_evict: Callable[[BlockHash, int], None] | None = None
        """Told of a cached block, by its hash and id, just before its memory is given away."""

    @property
    def available(self) -> int:
        """Blocks that ``allocate`` can hand out now: free ones and evictable cached ones."""
        return len(self._free) + len(self._evictable)

    def owns(self, block: int) -> bool:
        """Whether ``block`` lies in this pool's range."""
        return self.first_block <= block < self.first_block + self.num_blocks

    def references(self, block: int) -> int:
        """How many owners hold ``block`` (which must be of this pool)."""
        return self._references[block - self.first_block]

    def allocate(self, count: int) -> list[int] | None:
        """``count`` blocks with one reference each, owned by the caller, content undefined.

        All or nothing: None, and no change, when fewer are available. The least recently used
        cached blocks are evicted once the free ones are gone.
        """
        if count > self.available:
            return None
        blocks: list[int] = []
        for _ in range(count):
            block = self._free.pop() if self._free else self._evict()
            self._references[block - self.first_block] = 1
            blocks.append(block)
        return blocks

    def match_prefix(self, hashes: Sequence[BlockHash]) -> list[int]:
        """The blocks of the longest run of ``hashes``, from the first, that are cached here.

        Takes no reference: call ``ref`` before anything else can allocate.
        """
        blocks: list[int] = []
        for digest in hashes:
            block = self._block_of.get(digest)
            if block is None:
                break
            blocks.append(block)
        return blocks

    def ref(self, blocks: Iterable[int]) -> None:
        """Add one reference to each; they must be cached or referenced, and their content stays."""
        for block in blocks:
            if not self._references[self._index(block)]:
                require(block in self._evictable, f"block {block} is referenced while it is free")
                del self._evictable[block]
            self._references[block - self.first_block] += 1

    def release(self, blocks: Sequence[int]) -> None:
        """Drop one reference from each. Unreferenced blocks become cached or free.

        ``blocks`` in text order: the last are dropped first, so that of one text the tail is
        evicted before the prefix that others may share.
        """
        for block in reversed(blocks):
            index = self._index(block)
            require(self._references[index] > 0, f"block {block} is released more than it was held")
            self._references[index] -= 1
            if not self._references[index]:
                if block in self._hash_of:
                    self._evictable[block] = None
                else:
                    self._free.append(block)

    def claim(self, blocks: Iterable[int]) -> None:
        """Reference these very blocks, free or not: a former life of this worker leased them.

        Call it before any allocation; costs O(pool) per block.
        """
        for block in blocks:
            index = self._index(block)
            if not self._references[index]:
                if block in self._evictable:
                    self._forget(block)
                    del self._evictable[block]
                else:
                    self._free.remove(block)
            self._references[index] += 1

    def register(self, block: int, digest: BlockHash) -> None:
        """Say that the referenced ``block`` is full and holds the text of ``digest``.

        Does nothing when another block already serves that hash, or the prefix cache is off. The
        content must not change while the block is registered.
        """
        if not self.prefix_cache or digest in self._block_of:
            return
        require(self._references[self._index(block)] > 0, f"block {block} is cached while unheld")
        require(block not in self._hash_of, f"block {block} is cached under a second hash")
        self._hash_of[block] = digest
        self._block_of[digest] = block
        self._journal.stored(digest)

    def cached_hashes(self) -> list[BlockHash]:
        """All hashes that ``match_prefix`` can find now."""
        return list(self._block_of)

    def cached_blocks(self) -> list[tuple[BlockHash, int]]:
        """All hashes and their blocks: those in use, then the unused ones, the last used first."""
        unused = [(self._hash_of[block], block) for block in reversed(self._evictable)]
        used = [(d, b) for d, b in self._block_of.items() if b not in self._evictable]
        return used + unused

    def drain_events(self) -> CacheEvents:
        """What became reusable or was evicted since the last call (for the router's index)."""
        return self._journal.drain()

    def check_invariants(self, claims: Iterable[Sequence[int]]) -> None:
        """Raise InvariantError unless every own block is accounted for.

        ``claims`` are the block lists of all owners (sequences, leases), each of which holds one
        reference per block; blocks of other ranges in them are ignored. O(pool).
        """
        claimed = Counter(block for blocks in claims for block in blocks if self.owns(block))
        free = set(self._free)
        require(len(free) == len(self._free), "a block is in the free list twice")
        for block in range(self.first_block, self.first_block + self.num_blocks):
            count = self.references(block)
            require(
                count == claimed[block],
                f"block {block} has {count} references but {claimed[block]} owners",
            )
            places = (block in free) + (block in self._evictable) + (count > 0)
            require(places == 1, f"block {block} is in {places} of free, cached and referenced")
            cached = block in self._hash_of
            require(not (block in free and cached), f"block {block} is free but still cached")
            require(block not in self._evictable or cached, f"block {block} is cached with no hash")
        require(
            len(free) + len(self._evictable) <= self.num_blocks, "the pool has foreign free blocks"
        )
        reverse = {digest: block for block, digest in self._hash_of.items()}
        require(reverse == self._block_of, "the maps between blocks and hashes disagree")

    def _evict(self) -> int:
        block, _ = self._evictable.popitem(last=False)
        if self.on_evict is not None:
            self.on_evict(self._hash_of[block], block)
        self._forget(block)
        return block

    def _forget(self, block: int) -> None:
        digest = self._hash_of.pop(block)
        del self._block_of[digest]
        self._journal.removed(digest)

    def _index(self, block: int) -> int:
        if not self.owns(block):
            raise InvariantError(f"block {block} belongs to another worker's range")
        return block - self.first_block
