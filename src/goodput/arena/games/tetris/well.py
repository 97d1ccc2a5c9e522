"""One player's side of a game: what is in it, and how a piece is locked and the next one enters."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from goodput.arena.games.chance import branch, draw, shuffled
from goodput.arena.games.digest import digest_of
from goodput.arena.games.tetris.board import (
    HEIGHT,
    UP,
    WALLS,
    WIDTH,
    row_of,
    with_garbage,
    without_full_rows,
)
from goodput.arena.games.tetris.pieces import BOTTOM, ENTRY, KINDS, SHAPES

PREVIEW: Final = 5
"""Pieces to come that a player sees."""
POINTS: Final = (0, 100, 300, 500, 800)
"""By rows cleared at once, times the level."""
ATTACK: Final = (0, 0, 1, 2, 4)
"""By rows cleared at once: the rows of garbage that the other side gets."""

_GARBAGE: Final = 1
"""The branch of the seed that the holes are drawn from."""


class Well(msgspec.Struct, frozen=True):
    """Everything about one side. A piece is its ``kind`` (index in KINDS), ``turn`` and ``at``.

    ``queue`` holds five to eleven kinds to come, from ``bags`` bags of seven. ``fall`` is what
    gravity has gathered for the next row, in 1/65536 rows. ``rested`` counts frames on the ground,
    ``resets`` how often a move set it back since the piece reached ``lowest``, its lowest row yet.
    ``incoming`` are the attacks that the next lock lets in; ``raised`` counts those let in,
    ``sent`` the rows sent to the other side. ``out``: the game is over for this side.
    """

    seed: int
    kind: int
    at: int
    queue: tuple[int, ...]
    lowest: int
    bags: int = 2
    turn: int = 0
    cells: int = 0
    held: int | None = None
    may_hold: bool = True
    fall: int = 0
    rested: int = 0
    resets: int = 0
    level: int = 1
    score: int = 0
    lines: int = 0
    pieces: int = 0
    incoming: tuple[int, ...] = ()
    raised: int = 0
    sent: int = 0
    out: bool = False

    @property
    def shape(self) -> int:
        """The falling piece's mask, to be shifted by ``at``."""
        return SHAPES[self.kind][self.turn]

    @property
    def grounded(self) -> bool:
        """Whether the piece can fall no further."""
        return bool((self.cells | WALLS) & self.shape << (self.at - UP))

    def digest_parts(self) -> tuple[int | tuple[int, ...] | None, ...]:
        """All fields, for :func:`digest_of`."""
        return msgspec.structs.astuple(self)


def fresh(seed: int) -> Well:
    """An empty well with the first piece of ``seed`` in it."""
    kind, *queue = _bag(seed, 0) + _bag(seed, 1)
    at, _ = _entry(kind, 0)
    return Well(seed=seed, kind=kind, at=at, queue=tuple(queue), lowest=_lowest(kind, at))


def locked(well: Well, turn: int, at: int, points: int = 0) -> Well:
    """The piece becomes part of the stack at ``at``, rows are cleared, garbage is sent, cancelled
    or let in, and the next piece enters. ``points`` are those of the way down.

    The game is over for this side when the piece lies wholly above the skyline or the next one has
    no room.
    """
    shape = SHAPES[well.kind][turn]
    cells, cleared = without_full_rows(well.cells | shape << at, at)
    above = not cleared and row_of(at) + BOTTOM[well.kind][turn] >= HEIGHT
    incoming, attack = _cancelled(well.incoming, ATTACK[cleared])
    raised = well.raised
    if not cleared:
        for rows in incoming:
            cells = with_garbage(cells, rows, _hole(well.seed, raised))
            raised += 1
        incoming = ()
    kind, queue, bags = _next(well)
    entry, blocked = _entry(kind, cells)
    return replace(
        well,
        cells=cells,
        kind=kind,
        turn=0,
        at=entry,
        queue=queue,
        bags=bags,
        lowest=_lowest(kind, entry),
        may_hold=True,
        fall=0,
        rested=0,
        resets=0,
        score=well.score + POINTS[cleared] * well.level + points,
        lines=well.lines + cleared,
        pieces=well.pieces + 1,
        incoming=incoming,
        raised=raised,
        sent=well.sent + attack,
        out=above or blocked,
    )


def swapped(well: Well) -> Well:
    """The piece is put aside, and the one put aside before (or the next one) enters."""
    queue, bags = well.queue, well.bags
    if well.held is None:
        kind, queue, bags = _next(well)
    else:
        kind = well.held
    at, blocked = _entry(kind, well.cells)
    return replace(
        well,
        kind=kind,
        turn=0,
        at=at,
        queue=queue,
        bags=bags,
        lowest=_lowest(kind, at),
        held=well.kind,
        may_hold=False,
        fall=0,
        rested=0,
        resets=0,
        out=blocked,
    )


def digest_of_well(well: Well) -> str:
    """16 hex digits of one side."""
    return digest_of(*well.digest_parts())


def _bag(seed: int, number: int) -> tuple[int, ...]:
    """All seven kinds in the order of the seed's ``number``-th bag."""
    return shuffled(seed, number * (len(KINDS) - 1), range(len(KINDS)))


def _next(well: Well) -> tuple[int, tuple[int, ...], int]:
    """The next kind, and the queue and number of bags once it is taken."""
    kind, queue, bags = well.queue[0], well.queue[1:], well.bags
    if len(queue) < PREVIEW:
        queue += _bag(well.seed, bags)
        bags += 1
    return kind, queue, bags


def _entry(kind: int, cells: int) -> tuple[int, bool]:
    """Where a piece enters, and whether it has no room: above the skyline, then at once a row
    further down if it can."""
    at, shape, solid = ENTRY[kind], SHAPES[kind][0], cells | WALLS
    if solid & shape << at:
        return at, True
    return (at if solid & shape << (at - UP) else at - UP), False


def _lowest(kind: int, at: int) -> int:
    return row_of(at) + BOTTOM[kind][0]


def _cancelled(incoming: tuple[int, ...], attack: int) -> tuple[tuple[int, ...], int]:
    """An attack first meets what is about to come in, the oldest first; what is left of both."""
    while incoming and attack:
        met = min(incoming[0], attack)
        attack -= met
        rest = (incoming[0] - met,) if met < incoming[0] else ()
        incoming = rest + incoming[1:]
    return incoming, attack


def _hole(seed: int, number: int) -> int:
    """The open column of the ``number``-th attack that is let in: both sides of a game meet the
    same ones."""
    return draw(branch(seed, _GARBAGE), number, WIDTH)
