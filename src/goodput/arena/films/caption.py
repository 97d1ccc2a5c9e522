"""The lines under a film's picture: who plays, what it has, how its last move came about."""

from __future__ import annotations

from typing import Final

import numpy as np

from goodput.arena.episode.record import Move
from goodput.arena.games.drawing import Colour, canvas, text_width, write
from goodput.arena.games.font import ADVANCE, GLYPH_HEIGHT
from goodput.arena.games.rules import Picture

_BACKGROUND: Final[Colour] = (16, 17, 20)
_INK: Final[Colour] = (236, 238, 240)
_SOFT: Final[Colour] = (150, 156, 164)
_GOOD: Final[Colour] = (88, 196, 140)
_BAD: Final[Colour] = (255, 110, 120)
_PAD: Final = 6
_LINE: Final = GLYPH_HEIGHT + 5

Span = tuple[str, Colour]


def captioned(
    picture: Picture,
    labels: tuple[str, ...],
    scores: tuple[float, ...],
    last: tuple[Move | None, ...],
) -> Picture:
    """``picture`` with two lines a seat below it: its player and points, and its last move."""
    strip = canvas(_PAD + 2 * _LINE * len(labels), picture.shape[1], _BACKGROUND)
    y = _PAD
    for label, score, move in zip(labels, scores, last, strict=True):
        points = f"{score:g}"
        room = (strip.shape[1] - 3 * _PAD - text_width(points)) // ADVANCE
        write(strip, y, _PAD, label[: max(0, room)], _INK)
        write(strip, y, strip.shape[1] - _PAD - text_width(points), points, _INK)
        x = _PAD
        for text, colour in move_spans(move):
            write(strip, y + _LINE, x, text, colour)
            x += ADVANCE * (len(text) + 1)
        y += 2 * _LINE
    return np.concatenate((picture, strip))


def move_spans(move: Move | None) -> list[Span]:
    """A move in a few words: what was chosen, how long it took, how old its picture was."""
    if move is None:
        return [("-", _SOFT)]
    applied = move.fate == "applied"
    chosen = move.wanted if applied else f"{move.wanted or '?'} ({move.fate})"
    spans: list[Span] = [(chosen[:24], _INK if applied else _BAD)]
    if move.latency_s >= 0.0005:
        spans.append((f"{move.latency_s * 1e3:.0f} ms", _SOFT))
    stale = move.frame - move.asked_frame
    if move.late:
        spans.append((f"{stale} frames late", _BAD))
    elif applied:
        spans.append(("on time", _GOOD))
    return spans
