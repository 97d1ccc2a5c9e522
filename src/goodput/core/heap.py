"""Garbage collections that cost a serving process little."""

from __future__ import annotations

import gc
from typing import Final

# Requests leave few cycles behind, so looking for them less often costs little memory.
_THRESHOLDS: Final = (10_000, 20, 20)


def settle_heap() -> None:
    """Leave all objects that live now out of later collections, and make those rarer.

    Call it once what lasts is loaded. Walking over modules and models would otherwise hold up
    everybody's tokens for tens of milliseconds, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
