"""Chained hashes of full KV blocks: equal hashes mean equal tokens from the start of the text.

A block's keys and values depend on every token before it, so its hash covers them all. Hashes are
stable across processes and machines, because the router compares those of different workers. They
are 128 bits wide: a client must not be able to search for two prompts that share a block's hash.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from functools import lru_cache

BlockHash = bytes
"""16 bytes."""

_DIGEST_BYTES = 16
_EMPTY = hashlib.blake2b(digest_size=_DIGEST_BYTES)


@lru_cache(maxsize=64)
def root_hash(salt: str = "") -> BlockHash:
    """The parent of a first block. Texts under different salts never share a block."""
    return hashlib.blake2b(salt.encode(), digest_size=_DIGEST_BYTES, person=b"kv-root").digest()


def extend_hashes(
    hashes: list[BlockHash],
    tokens: Sequence[int],
    block_size: int,
    salt: str = "",
    most: int | None = None,
) -> None:
    """Append the hashes of the full blocks of ``tokens`` that ``hashes`` does not have yet.

    No more than the first ``most`` blocks then have their hashes.

    ``hashes[i]`` is of ``tokens[i * block_size : (i + 1) * block_size]``. The work is that of the
    new blocks only, so that a growing sequence hashes each token once. Raises struct.error for ids
    outside 0..2**32-1.
    """
    parent = hashes[-1] if hashes else root_hash(salt)
    known, full = len(hashes), len(tokens) // block_size
    if most is not None:
        full = min(full, most)
    new = tokens[known * block_size : full * block_size]
    # Packed at once, and from copies of one empty hash: a router has microseconds for a prompt.
    packed = struct.pack(f"<{len(new)}I", *new)
    width = block_size * 4
    for start in range(0, len(packed), width):
        digest = _EMPTY.copy()
        digest.update(parent + packed[start : start + width])
        parent = digest.digest()
        hashes.append(parent)


def block_hashes(tokens: Sequence[int], block_size: int, salt: str = "") -> list[BlockHash]:
    """The hashes of all full blocks of ``tokens``, in order; a partial last block has none."""
    hashes: list[BlockHash] = []
    extend_hashes(hashes, tokens, block_size, salt)
    return hashes
