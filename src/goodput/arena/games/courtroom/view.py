"""The court record and the testimony as lines of text, and a picture of these lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from goodput.arena.games.courtroom.case import Case, Statement
from goodput.arena.games.drawing import Colour, canvas, write
from goodput.arena.games.font import ADVANCE
from goodput.arena.games.rules import Picture

WIDTH: Final = 396
HEIGHT: Final = 384
"""A race adds a line below."""
EDGE: Final = 6
LINE: Final = 10
LETTERS: Final = (WIDTH - 2 * EDGE) // ADVANCE
"""In a line of the picture."""
LINES: Final = (HEIGHT - 2 * EDGE) // LINE
"""In the picture."""

_PAPER: Final[Colour] = (242, 238, 226)
_INK: Final[Colour] = (36, 34, 40)
_HEADING: Final[Colour] = (130, 34, 44)
_CURSOR: Final[Colour] = (24, 78, 170)


def record_of(case: Case) -> list[str]:
    """A line an exhibit, numbered from 1."""
    return [
        f"{number}. {exhibit.title}: {exhibit.text}"
        for number, exhibit in enumerate(case.exhibits, start=1)
    ]


def heard(statement: Statement, pressed: bool) -> str:
    """What has been said so far in a statement."""
    told = statement.time and (pressed or not statement.withheld)
    return f"{statement.text} {statement.time}" if told else statement.text


def testimony_lines(
    statements: Sequence[Statement], pressed: frozenset[int], refuted: frozenset[int], current: int
) -> list[str]:
    """A line a statement, the current one marked with >."""
    lines = []
    for index, statement in enumerate(statements):
        mark = ">" if index == current else " "
        notes = " (refuted)" if index in refuted else " (pressed)" if index in pressed else ""
        lines.append(f"{mark} {index + 1}. {heard(statement, index in pressed)}{notes}")
    return lines


def wrapped(line: str) -> list[str]:
    """A line cut for the picture."""
    return textwrap.wrap(line, LETTERS, subsequent_indent="    ")


def draw_page(lines: Sequence[str]) -> Picture:
    """The lines as a page; headings, which are all capitals, and the current statement coloured."""
    picture = canvas(HEIGHT, WIDTH, _PAPER)
    y = EDGE
    for line in lines:
        colour = _HEADING if line.isupper() else _CURSOR if line.startswith(">") else _INK
        for part in wrapped(line):
            write(picture, y, EDGE, part, colour)
            y += LINE
    return picture
