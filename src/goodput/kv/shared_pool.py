"""The host's KV memory: one anonymous file that all workers of the host map.

It has no name in any file system, so nothing is left behind whoever is killed: the kernel frees
it when the last process that maps it is gone. Because every worker maps the whole pool, a block
computed by one worker is read in place by another, and a hand-off copies nothing.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

from goodput.core.errors import UsageError


class SharedPool:
    """``num_blocks`` blocks of ``bytes_per_block`` bytes, addressed by block id from 0.

    The host process makes it with :meth:`create` and owns it; workers inherit ``fd`` and
    :meth:`attach`. Who may write which block is decided by the workers' block pools (each has its
    own range of ids) and by leases, never here. ``close`` ends this process's mapping: views taken
    from ``buffer`` must be gone by then. The file is sparse: untouched blocks take no memory.
    """

    def __init__(self, fd: int, num_blocks: int, bytes_per_block: int) -> None:
        if num_blocks < 1 or bytes_per_block < 1:
            raise ValueError(f"an empty pool: {num_blocks} blocks of {bytes_per_block} bytes")
        self.fd = fd
        self.num_blocks = num_blocks
        self.bytes_per_block = bytes_per_block
        self._mapping = mmap.mmap(fd, self.size)
        self.buffer = memoryview(self._mapping)

    @property
    def size(self) -> int:
        """Bytes of the whole pool."""
        return self.num_blocks * self.bytes_per_block

    @classmethod
    def create(cls, num_blocks: int, bytes_per_block: int) -> SharedPool:
        """Make the pool, zeroed. Raises UsageError when the host has no room for it."""
        size = num_blocks * bytes_per_block
        fd = _anonymous_file()
        try:
            os.ftruncate(fd, size)
            return cls(fd, num_blocks, bytes_per_block)
        except (OSError, OverflowError) as error:
            os.close(fd)
            raise UsageError(
                f"cannot map a KV pool of {size / 2**20:.0f} MiB: {error}; lower engine.kv_tokens"
            ) from None

    @classmethod
    def attach(cls, fd: int, num_blocks: int, bytes_per_block: int) -> SharedPool:
        """Map an inherited pool; takes ownership of ``fd``. Raises ValueError on a wrong size."""
        size = os.fstat(fd).st_size
        if size != num_blocks * bytes_per_block:
            raise ValueError(f"the pool has {size} bytes, not {num_blocks * bytes_per_block}")
        return cls(fd, num_blocks, bytes_per_block)

    def block(self, block_id: int) -> memoryview:
        """A writable view of one block's bytes, valid until :meth:`close`."""
        if not 0 <= block_id < self.num_blocks:
            raise IndexError(f"block {block_id} is not in a pool of {self.num_blocks}")
        start = block_id * self.bytes_per_block
        return self.buffer[start : start + self.bytes_per_block]

    def close(self) -> None:
        """Unmap and close the file here; other processes keep theirs. Idempotent."""
        if self.fd < 0:
            return
        self.buffer.release()
        self._mapping.close()
        os.close(self.fd)
        self.fd = -1


def _anonymous_file() -> int:
    """A file without a name: from the kernel, else one that is unlinked at once."""
    try:
        return os.memfd_create("goodput-kv", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        shm = Path("/dev/shm")
        fd, name = tempfile.mkstemp(dir=shm if shm.is_dir() else None)
        Path(name).unlink()
        return fd
