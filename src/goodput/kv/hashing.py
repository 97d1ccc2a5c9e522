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


@lru_cache(maxsize=64)
def root_hash(salt: str = "") -> BlockHash:
    """The parent of a first block. Texts under different salts never share a block."""
    return hashlib.blake2b(salt.encode(), digest_size=_DIGEST_BYTES, person=b"kv-root").digest()


def block_hash(parent: BlockHash, tokens: Sequence[int]) -> BlockHash:
    """The hash of one full block whose text before it has the hash ``parent``.

    ``tokens`` are ids in 0..2**32-1; raises struct.error outside of that range.
    """
    packed = struct.pack(f"<{len(tokens)}I", *tokens)
    return hashlib.blake2b(parent + packed, digest_size=_DIGEST_BYTES).digest()


def extend_hashes(
    hashes: list[BlockHash], tokens: Sequence[int], block_size: int, salt: str = ""
) -> None:
    """Append the hashes of the full blocks of ``tokens`` that ``hashes`` does not have yet.

    ``hashes[i]`` is of ``tokens[i * block_size : (i + 1) * block_size]``. The work is that of the
    new blocks only, so that a growing sequence hashes each token once.
    """
    parent = hashes[-1] if hashes else root_hash(salt)
    for index in range(len(hashes), len(tokens) // block_size):
        parent = block_hash(parent, tokens[index * block_size : (index + 1) * block_size])
        hashes.append(parent)


def block_hashes(tokens: Sequence[int], block_size: int, salt: str = "") -> list[BlockHash]:
    """The hashes of all full blocks of ``tokens``, in order; a partial last block has none."""
    hashes: list[BlockHash] = []
    extend_hashes(hashes, tokens, block_size, salt)
    return hashes
