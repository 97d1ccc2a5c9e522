"""Pictures from rectangles and letters. All sizes are pixels; y counts down from the top."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from goodput.arena.games.font import ADVANCE, GLYPH_WIDTH, glyph
from goodput.arena.games.rules import Picture

Colour: TypeAlias = tuple[int, int, int]


def canvas(height: int, width: int, colour: Colour) -> Picture:
    """A new picture (height, width, 3) of one colour."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = colour
    return picture


def rectangle(picture: Picture, y: int, x: int, h: int, w: int, colour: Colour) -> None:
    """Fill rows y to y + h and columns x to x + w of ``picture``, as far as they are inside it."""
    picture[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = colour


def write(picture: Picture, y: int, x: int, text: str, colour: Colour, scale: int = 1) -> None:
    """Write one line of ``text`` into ``picture`` with its top left corner at (y, x), both at least
    0. A letter takes 6 * scale by 7 * scale pixels; what passes the right or lower edge is cut."""
    for character in text:
        ink = glyph(character, scale)
        window = picture[y : y + ink.shape[0], x : x + ink.shape[1]]
        window[ink[: window.shape[0], : window.shape[1]]] = colour
        x += ADVANCE * scale


def text_width(text: str, scale: int = 1) -> int:
    """How many pixels ``write`` fills from left to right, for centring."""
    return max(0, len(text) * ADVANCE - (ADVANCE - GLYPH_WIDTH)) * scale
