"""How long each contestant takes to be ready, and what it then holds in memory."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from engine_cases import decode
from engine_contestants import Contestant, Entry, Memory

MOST_LOADS, LOADING_SECONDS = 5, 10.0
"""A contestant is started anew at most so often, and not again after so long."""

FIRST_STEP = decode(1, 256)
"""Done before memory is read, so that all weights have been touched."""


@dataclass(frozen=True)
class Footprint:
    """A process of ``label``; load_seconds: the median from its start until it takes requests."""

    label: str
    load_seconds: float
    memory: Memory


def footprints(entries: Sequence[Entry], core: int) -> list[Footprint]:
    """Each alone, then ours beside another of ours: what a second worker of a host adds.

    Memory is of one-thread processes that have done one decode step. Each contestant is started
    once before, so that its files are in the page cache and its kernels are compiled.
    """
    found = []
    for entry in entries:
        _start(entry, core).close()
        loads: list[float] = []
        while len(loads) < MOST_LOADS and sum(loads) < LOADING_SECONDS:
            contestant = _start(entry, core)
            loads.append(contestant.load_seconds)
            memory = contestant.memory()
            contestant.close()
        found.append(Footprint(entry.name, statistics.median(loads), memory))
    first, second = (_start(entries[0], core) for _ in range(2))
    for which, contestant in (("first", first), ("second", second)):
        label = f"{entries[0].name}, {which} of two"
        found.append(Footprint(label, contestant.load_seconds, contestant.memory()))
    first.close()
    second.close()
    return found


def _start(entry: Entry, core: int) -> Contestant:
    contestant = Contestant(entry, [core])
    contestant.seconds(FIRST_STEP, contestant.variants[0])
    return contestant
