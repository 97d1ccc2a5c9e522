"""Hashes of full KV blocks: equal hashes mean equal tokens from the start of the text.

A block's keys and values depend on every token before it, so its hash covers them all: it is the
digest of all tokens up to the block's end. Hashes are stable across processes and machines, because
the router compares those of different workers. They are 128 bits wide: a client must not be able to
search for two prompts that share a block's hash.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

BlockHash = bytes
"""16 bytes."""

_EMPTY = hashlib.blake2b(digest_size=16, person=b"kv-blocks")


class BlockHashes:
    """The hashes of the full blocks of one text, in order, each made when it is first asked for.

    One costs the hashing of the tokens since the last one asked for, and a digest, which costs far
    more: whoever leaps over blocks does not pay for those between. The text may grow. Raises
    struct.error for token ids outside 0..2**32-1.
    """

    __slots__ = (
        "_far",
        "_far_blocks",
        "_known",
        "_near",
        "_near_blocks",
        "_root",
        "_size",
        "_tokens",
    )

    def __init__(self, tokens: Sequence[int], block_size: int, salt: str = "") -> None:
        """Texts under different salts never share a block. ``tokens`` is read, never kept whole."""
        self._tokens = tokens
        self._size = block_size
        root = _EMPTY.copy()
        root.update(hashlib.sha256(salt.encode()).digest())
        self._root = root
        self._known: dict[int, BlockHash] = {}
        # How far the text is hashed, and where that was before the last leap, to fill it in.
        self._far, self._far_blocks = root.copy(), 0
        self._near, self._near_blocks = root, 0

    def __len__(self) -> int:
        return len(self._tokens) // self._size

    def __getitem__(self, index: int) -> BlockHash:
        digest = self._known.get(index)
        if digest is not None:
            return digest
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index >= self._far_blocks:
            if index > self._far_blocks:
                self._near, self._near_blocks = self._far.copy(), self._far_blocks
            self._add(self._far, self._far_blocks, index + 1)
            self._far_blocks = index + 1
            digest = self._far.digest()
        else:
            if index < self._near_blocks or self._near is self._root:
                self._near, self._near_blocks = self._root.copy(), 0
            self._add(self._near, self._near_blocks, index + 1)
            self._near_blocks = index + 1
            digest = self._near.digest()
        self._known[index] = digest
        return digest

    @property
    def made(self) -> int:
        """How many have been asked for."""
        return len(self._known)

    def first(self, count: int) -> list[BlockHash]:
        """The first ``count``."""
        return [self[index] for index in range(count)]

    def _add(self, state: _Hash, start: int, end: int) -> None:
        new = self._tokens[start * self._size : end * self._size]
        state.update(struct.pack(f"<{len(new)}I", *new))


def block_hashes(tokens: Sequence[int], block_size: int, salt: str = "") -> list[BlockHash]:
    """The hashes of all full blocks of ``tokens``, in order; a partial last block has none."""
    hashes = BlockHashes(tokens, block_size, salt)
    return hashes.first(len(hashes))
