"""Eight bytes a token in the shared pool, for the modelled engine: what it believes is there.

A decode worker that reads back its prompt from here proves that the hand-off between processes
gave it the right blocks, untouched.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, MutableMapping
from typing import Final

from goodput.kv.shared_pool import SharedPool

BYTES_PER_TOKEN: Final = 8
_MARK: Final = struct.Struct("<q")


class KvMarks(MutableMapping[tuple[int, int], int]):
    """(block, offset) → mark, in place. Untouched memory reads as 0; nothing can be deleted."""

    def __init__(self, pool: SharedPool, block_size: int) -> None:
        self._pool = pool
        self._block_size = block_size

    def __getitem__(self, place: tuple[int, int]) -> int:
        mark: int = _MARK.unpack_from(self._pool.buffer, self._offset(place))[0]
        return mark

    def __setitem__(self, place: tuple[int, int], mark: int) -> None:
        _MARK.pack_into(self._pool.buffer, self._offset(place), mark)

    def __delitem__(self, place: tuple[int, int]) -> None:
        raise TypeError("marks stay until they are overwritten")

    def __iter__(self) -> Iterator[tuple[int, int]]:
        blocks, size = range(self._pool.num_blocks), range(self._block_size)
        return ((block, offset) for block in blocks for offset in size)

    def __len__(self) -> int:
        return self._pool.num_blocks * self._block_size

    def _offset(self, place: tuple[int, int]) -> int:
        block, offset = place
        return block * self._pool.bytes_per_block + offset * BYTES_PER_TOKEN
