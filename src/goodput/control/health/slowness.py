"""How much slower a worker's steps are than those of its peers, or than they used to be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from goodput.core.speeds import StepCost

_QUICK: Final = 0.2
_USUAL: Final = 0.02
# The first steps of a process are slow for reasons of their own: caches, compilation, page faults.
_COLD_STEPS: Final = 10
_ENOUGH: Final = 10
# A step beyond this multiple of what is usual says that the worker is slow, not what is usual.
_SUSPECT: Final = 2.0

Kind = tuple[int, int]


@dataclass(slots=True)
class _Typical:
    """Steps of one kind at one worker: logarithms of seconds, lately and in the long run."""

    lately: float
    usual: float
    count: int = 1

    def add(self, value: float) -> None:
        self.count += 1
        self.lately += _QUICK * (value - self.lately)
        if value < self.usual + math.log(_SUSPECT):
            self.usual += max(_USUAL, 1 / self.count) * (value - self.usual)


@dataclass(slots=True)
class _Worker:
    steps: int = 0
    excess: float = 0.0
    kinds: dict[Kind, _Typical] = field(default_factory=dict)


class Slowness:
    """Compares steps of one kind only: about as many prompt tokens, about as many sequences.

    The measure is the fastest peer's recent steps of that kind; so a machine that slows down makes
    nobody slow. Without such a peer it is the worker's own past.
    """

    def __init__(self) -> None:
        self._workers: dict[str, _Worker] = {}

    def observe(self, worker: str, cost: StepCost) -> None:
        """Learn from a step; steps without work or time are passed over."""
        known = self._workers.setdefault(worker, _Worker())
        known.steps += 1
        if known.steps <= _COLD_STEPS or not 0 < cost.seconds < math.inf:
            return
        kind = (cost.prefill_tokens.bit_length(), cost.decode_tokens.bit_length())
        seconds = math.log(cost.seconds)
        reference = self._reference(worker, kind)
        if reference is not None:
            known.excess += _QUICK * (seconds - reference - known.excess)
        if kind in known.kinds:
            known.kinds[kind].add(seconds)
        else:
            known.kinds[kind] = _Typical(seconds, seconds)

    def factor(self, worker: str) -> float:
        """How many times its usual step the worker's recent ones take; 1 when nothing is known."""
        known = self._workers.get(worker)
        return 1.0 if known is None else math.exp(max(0.0, known.excess))

    def forget(self, worker: str) -> None:
        """Another process works under that name."""
        self._workers.pop(worker, None)

    def _reference(self, worker: str, kind: Kind) -> float | None:
        peers = [
            typical.lately
            for name, other in self._workers.items()
            if name != worker and (typical := other.kinds.get(kind)) and typical.count >= _ENOUGH
        ]
        if peers:
            return min(peers)
        own = self._workers[worker].kinds.get(kind)
        return own.usual if own is not None and own.count >= _ENOUGH else None
