"""A screen in characters, for those who cannot see."""

from __future__ import annotations

from typing import Final

import numpy as np

from goodput.arena.games.rules import Picture

_SHADES: Final = np.array(list(" .:-=+*#%@"))


def shades(picture: Picture, rows: int, columns: int) -> str:
    """``picture`` as ``rows`` lines of characters, from dark " " to light "@": of each cell its
    lightest pixel, so that small things are not lost."""
    light = picture.max(axis=2)
    height, width = light.shape
    ys = np.linspace(0, height, rows + 1).astype(int)
    xs = np.linspace(0, width, columns + 1).astype(int)
    by_rows = np.maximum.reduceat(light, ys[:-1], axis=0)
    cells = np.maximum.reduceat(by_rows, xs[:-1], axis=1).astype(int)
    chosen = _SHADES[cells * (len(_SHADES) - 1) // 255]
    return "\n".join("".join(row).rstrip() for row in chosen)
