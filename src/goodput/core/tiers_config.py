"""The part of a deployment about prefix blocks that the KV pool has no room for."""

from __future__ import annotations

import msgspec

from goodput.core.errors import UsageError

_MOST_MB = 64 * 2**20


class TiersConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Blocks that are evicted go to RAM, from there to disk, and come back when reading is faster.

    ``ram_mb`` is each worker's own, ``disk_mb`` what all workers together keep in ``folder`` (None:
    in the cache folder); 0 switches a tier off. What is on disk survives a restart.
    """

    ram_mb: int = 0
    disk_mb: int = 0
    folder: str | None = None

    @property
    def enabled(self) -> bool:
        """Whether there is any tier."""
        return bool(self.ram_mb or self.disk_mb)

    def check(self) -> None:
        """Raise UsageError with the field's name when a value cannot work."""
        for name in ("ram_mb", "disk_mb"):
            if not 0 <= getattr(self, name) <= _MOST_MB:
                raise UsageError(f"tiers.{name} must lie in 0..{_MOST_MB} MiB, 0 for no such tier")
        if self.folder is not None and not self.disk_mb:
            raise UsageError("tiers.folder is of no use without tiers.disk_mb")
