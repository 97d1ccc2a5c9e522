"""The CPU backend: weights in four or eight bits, integer products, one compiled call a step.

Numba caches compiled functions by the file they stand in, and would go on using a caller after a
change in what it calls. So they are kept in a folder named after all sources of this package.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba

from goodput.models.cache import cache_home


def _fingerprint() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


numba.config.CACHE_DIR = str(cache_home() / "kernels" / _fingerprint())
