"""Requests that no worker should take yet, in the order in which they are served.

Who is next is decided in this order:
1. One that waited ``aging_s`` or more, the oldest first; but only every fourth turn, so that an
   overload does not turn into first come, first served. Nobody starves: with k older requests
   waiting, its turn comes within 4 (k + 1) turns.
2. The lowest priority number.
3. The tenant that got the least service for its weight. One that comes back after a pause starts
   where the others are: service cannot be saved up.
4. The least slack: the one that must be started first to keep its promise. Those that cannot keep
   it any more come after those that can.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

_AGED_EVERY: Final = 4
# How many of one tenant are looked at when the first cannot be served at once.
_CHOICE: Final = 4
_FORGET_TENANTS_ABOVE: Final = 1024

T = TypeVar("T", bound=Hashable)


@dataclass(slots=True, frozen=True)
class Turn:
    """What a request waits under. Times in monotonic seconds.

    ``start_by`` is when it has to start to keep its promise, or would be worth starting where
    nothing was promised. ``tokens`` is the work that it brings.
    """

    arrived: float
    start_by: float
    tokens: int
    tenant: str = "default"
    priority: int = 0


@dataclass(slots=True, frozen=True)
class Waiting(Generic[T]):
    """An item in its place; ``number`` makes the order total."""

    item: T
    turn: Turn
    number: int


class FairQueue(Generic[T]):
    """Waiting items. All operations cost O(log n) comparisons, or O(n) moves of pointers."""

    def __init__(self, aging_s: float, weights: Mapping[str, float]) -> None:
        self._aging_s = aging_s
        self._weights = weights
        self._waiting: OrderedDict[T, Waiting[T]] = OrderedDict()
        # priority → tenant → its requests by ``start_by``.
        self._lines: dict[int, dict[str, list[Waiting[T]]]] = {}
        self._service: dict[str, float] = {}
        self._clock = 0.0  # Service of the tenant whose turn was last.
        self._turns = 0
        self._number = 0
        self.tokens = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, item: T) -> bool:
        return item in self._waiting

    def add(self, item: T, turn: Turn) -> None:
        """Queue an item; raises ValueError for one that waits already."""
        if item in self._waiting:
            raise ValueError("the item waits already")
        self._number += 1
        waiting = Waiting(item, turn, self._number)
        self._waiting[item] = waiting
        self.tokens += turn.tokens
        insort(
            self._lines.setdefault(turn.priority, {}).setdefault(turn.tenant, []),
            waiting,
            key=_by_slack,
        )

    def discard(self, item: T) -> None:
        """Take an item out that is not served; nothing happens when it does not wait."""
        waiting = self._waiting.pop(item, None)
        if waiting is None:
            return
        turn = waiting.turn
        self.tokens -= turn.tokens
        lines = self._lines[turn.priority]
        line = lines[turn.tenant]
        del line[bisect_left(line, _by_slack(waiting), key=_by_slack)]
        if not line:
            del lines[turn.tenant]
            if not lines:
                del self._lines[turn.priority]

    def in_order(self, now: float) -> Iterator[Waiting[T]]:
        """Whose turn it is, then who would do if that one cannot be served at this moment.

        Must not be continued after a change of the queue.
        """
        if not self._waiting:
            return
        oldest = next(iter(self._waiting.values()))
        aged = self._turns % _AGED_EVERY == 0 and now - oldest.turn.arrived >= self._aging_s
        if aged:
            yield oldest
        for priority in sorted(self._lines):
            lines = self._lines[priority]
            for tenant in sorted(lines, key=lambda name: (self._served(name), name)):
                line = lines[tenant]
                in_time = bisect_left(line, (now, 0), key=_by_slack)
                possible = islice(line, in_time, None) if in_time < len(line) else iter(line)
                yield from (
                    waiting
                    for waiting in islice(possible, _CHOICE)
                    if not (aged and waiting is oldest)
                )

    def serve(self, item: T) -> None:
        """The item has its turn: it leaves the queue, and its tenant is charged for its tokens."""
        turn = self._waiting[item].turn
        self.discard(item)
        self._turns += 1
        self._clock = self._served(turn.tenant)
        self.charge(turn.tenant, turn.tokens)

    def charge(self, tenant: str, tokens: int) -> None:
        """The tenant got service: a prompt that was started, or tokens of an answer."""
        weight = self._weights.get(tenant, 1.0)
        self._service[tenant] = self._served(tenant) + tokens / weight
        if len(self._service) > _FORGET_TENANTS_ABOVE:
            ahead = {name: got for name, got in self._service.items() if got > self._clock}
            # Those behind start at the clock anyway; beyond that only the most served matter.
            most = sorted(ahead, key=ahead.__getitem__)[-_FORGET_TENANTS_ABOVE // 2 :]
            self._service = {name: ahead[name] for name in most}

    def overdue(self, now: float) -> list[T]:
        """All items that had to start before ``now``."""
        return [
            waiting.item
            for lines in self._lines.values()
            for line in lines.values()
            for waiting in islice(line, bisect_left(line, (now, 0), key=_by_slack))
        ]

    def turns(self) -> list[Turn]:
        """The turns of all that wait, least slack first. O(n log n)."""
        return sorted((w.turn for w in self._waiting.values()), key=lambda turn: turn.start_by)

    def _served(self, tenant: str) -> float:
        return max(self._clock, self._service.get(tenant, 0.0))


def _by_slack(waiting: Waiting[T]) -> tuple[float, int]:
    return waiting.turn.start_by, waiting.number
