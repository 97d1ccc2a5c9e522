"""The second tier: one file a block, named by its hash, shared by all workers and lives of a host.

A file appears whole by a rename, and its checksum is verified at each read, so a crash at any
moment, of the machine even, leaves nothing that would be believed. A block never changes: whoever
writes a hash writes the same bytes, and a file that is removed under a reader stays readable.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Final

from goodput.kv.hashing import BlockHash

_MAGIC: Final = b"goodkv01"
_HEADER: Final = struct.Struct("<8s16sI")
_SUFFIX: Final = ".kv"
# Each worker sweeps after it wrote an eighth of the bound, down to half of it: so up to four
# workers that write at once stay within the bound.
_WRITTEN_SHARE: Final = 8
_KEPT_SHARE: Final = 2
# A temporary file older than this belongs to a process that died.
_ABANDONED_S: Final = 60.0


class DiskTier:
    """The blocks of one model in one folder. Methods may be called from several threads.

    Raises OSError where the disk refuses; a block that is missing, cut short or damaged is simply
    not there.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Make the folder, and bring it within the bound."""
        self._folder = folder
        self._max = max_bytes
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep(max_bytes)

    def __contains__(self, digest: BlockHash) -> bool:
        return self._path(digest).exists()

    def read_into(self, digest: BlockHash, room: memoryview) -> bool:
        """Fill ``room`` with the block; False when it is not here, and ``room`` is then undefined.

        A file that is damaged is removed.
        """
        path = self._path(digest)
        try:
            with path.open("rb", buffering=0) as file:
                header = file.read(_HEADER.size)
                whole = file.readinto(room) == len(room) and not file.read(1)
        except FileNotFoundError:
            return False
        if not whole or header != _HEADER.pack(_MAGIC, digest, zlib.crc32(room)):
            path.unlink(missing_ok=True)
            return False
        os.utime(path)  # What was read is what the next sweep keeps.
        return True

    def write(self, digest: BlockHash, data: bytes) -> None:
        """Keep a block. Nothing is flushed: after a power cut the checksum tells what is whole."""
        path = self._path(digest)
        temporary = path.with_suffix(f".{os.getpid()}")
        path.parent.mkdir(exist_ok=True)
        try:
            with temporary.open("wb", buffering=0) as file:
                file.write(_HEADER.pack(_MAGIC, digest, zlib.crc32(data)))
                if file.write(data) != len(data):
                    raise OSError("the disk took only a part of a block")
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._written += len(data)
        if self._written > self._max // _WRITTEN_SHARE:
            self._written = 0
            self.sweep(self._max // _KEPT_SHARE)

    def sweep(self, most: int) -> None:
        """Remove the least recently used blocks beyond ``most`` bytes, and what crashes left.

        Of several workers one does it; the others go on.
        """
        with (self._folder / "sweep.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            kept = 0
            for _, size, path in sorted(self._files(), reverse=True):
                kept += size
                if kept > most:
                    path.unlink(missing_ok=True)

    def _files(self) -> list[tuple[float, int, Path]]:
        """(last use, bytes, path) of all blocks; abandoned temporary files are removed."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*/*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.suffix == _SUFFIX:
                found.append((status.st_mtime, status.st_size, path))
            elif time.time() - status.st_mtime > _ABANDONED_S:
                path.unlink(missing_ok=True)
        return found

    def _path(self, digest: BlockHash) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / (name + _SUFFIX)
