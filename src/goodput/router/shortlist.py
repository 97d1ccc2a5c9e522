"""Of many workers the few that a policy has to compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from goodput.router.policy import WorkerView

# Up to so many are all compared.
_ALL: Final = 16
# Above: so many with the shortest queues of prompts, and as many with the fewest sequences.
_KEPT: Final = 4


class Shortlist:
    """Keeps the loads of a fleet in arrays: the least loaded are found without looking at all.

    ``touch`` a worker whose load has changed; what is told late only makes a choice less good.
    """

    def __init__(self, *, conditional: bool = False) -> None:
        """``conditional``: every worker can do both phases, whatever its role."""
        self._conditional = conditional
        self._fleet: Sequence[WorkerView] = ()
        self._views: dict[str, WorkerView] = {}
        self._touched: set[str] = set()
        self._queues = _Loads(())
        self._sequences = _Loads(())

    def touch(self, worker: str) -> None:
        """Its load has changed."""
        self._touched.add(worker)

    def of(self, fleet: Sequence[WorkerView], holders: Sequence[str]) -> Sequence[WorkerView]:
        """The least loaded of ``fleet`` and those ``holders`` of a prefix that are in it."""
        if len(fleet) <= _ALL:
            return fleet
        if fleet != self._fleet:
            self._take_over(fleet)
        for worker in self._touched:
            view = self._views.get(worker)
            if view is not None:
                self._queues.set(worker, view.queue_s)
                self._sequences.set(worker, view.sequences)
        self._touched.clear()
        names = dict.fromkeys(name for name in holders if name in self._views)
        names |= dict.fromkeys(self._queues.least())
        names |= dict.fromkeys(self._sequences.least())
        return [self._views[name] for name in names]

    def _take_over(self, fleet: Sequence[WorkerView]) -> None:
        self._fleet = list(fleet)
        self._views = {view.name: view for view in fleet}
        self._touched = set(self._views)
        both = self._conditional
        self._queues = _Loads([v.name for v in fleet if both or v.role != "decode"])
        self._sequences = _Loads([v.name for v in fleet if both or v.role != "prefill"])


class _Loads:
    """One number for each of some workers."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows = {name: row for row, name in enumerate(names)}
        self._loads = np.zeros(len(names))

    def set(self, name: str, load: float) -> None:
        row = self._rows.get(name)
        if row is not None:
            self._loads[row] = load

    def least(self) -> list[str]:
        if len(self._names) <= _KEPT:
            return list(self._names)
        rows = np.argpartition(self._loads, _KEPT)[:_KEPT]
        return [self._names[row] for row in rows.tolist()]
