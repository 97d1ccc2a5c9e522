"""One memory for all processes of the host, with no name to leak."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from goodput.core.errors import UsageError
from goodput.kv.shared_pool import SharedPool


def test_what_one_mapping_writes_another_reads() -> None:
    pool = SharedPool.create(8, 4096)
    other = SharedPool.attach(os.dup(pool.fd), 8, 4096)
    pool.block(3)[:5] = b"hello"
    assert bytes(other.block(3)[:5]) == b"hello"
    assert bytes(other.block(2)) == bytes(4096)
    assert bytes(other.block(4)) == bytes(4096)
    other.close()
    pool.close()
    pool.close()


def test_it_has_no_name_and_untouched_blocks_cost_nothing() -> None:
    pool = SharedPool.create(1024, 1 << 20)
    pool.block(1000)[0] = 1
    status = os.fstat(pool.fd)
    assert status.st_size == 1 << 30
    assert status.st_blocks * 512 <= 2 << 20
    assert "(deleted)" in str(Path(f"/proc/self/fd/{pool.fd}").readlink())
    pool.close()


def test_impossible_pools_are_refused() -> None:
    with pytest.raises(UsageError, match=r"engine\.kv_tokens"):
        SharedPool.create(1 << 40, 1 << 30)
    pool = SharedPool.create(2, 64)
    with pytest.raises(ValueError, match="128 bytes"):
        SharedPool.attach(pool.fd, 3, 64)
    for outside in (-1, 2):
        with pytest.raises(IndexError):
            pool.block(outside)
    pool.close()
