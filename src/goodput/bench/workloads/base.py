"""What a workload is: seeded conversations, and the latency their users were promised."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod

import msgspec

from goodput.bench.arrivals.base import Arrivals
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation, in OpenAI's shape."""

    role: str
    content: str


class PlannedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as the workload wants it.

    ``max_tokens`` is the answer's exact length where the server can be told to ignore the
    end-of-sequence token, else its upper bound. ``kind`` is its class, ``slo`` what that class was
    promised. ``follows`` is the index within the same plan (or conversation) of the request whose
    end must come first: this one is due ``think_s`` seconds after it, and ``messages`` are then
    only what it adds to the earlier request's messages and its answer. Nothing is followed twice.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    kind: str = ""
    slo: SLO = SLO()
    follows: int | None = None
    think_s: float = 0.0


class Timed(msgspec.Struct, frozen=True):
    """A request and when it is due, in seconds from the step's start.

    Of a request that follows another, ``due`` is only expected.
    """

    due: float
    request: PlannedRequest


class Natural(msgspec.Struct, frozen=True):
    """The pace at which a recorded workload really came: requests per second, and for how long."""

    rate: float
    seconds: float


class Workload(ABC):
    """A named class of requests. Stateless: the same seed gives the same requests anywhere.

    ``slo`` is the absolute promise, made for the reference machine (two CPU cores); ``relative``
    the same idea for any machine, as multiples of the unloaded latency. A workload of several
    classes has only a target in ``slo``: there each request's own bounds count. ``natural`` is
    there only where the workload was recorded with its times.
    """

    name: str
    slo: SLO
    relative: SLOSpec = SLOSpec(fixed=SLO(), times={"ttft": 5.0, "tpot": 3.0})
    natural: Natural | None = None

    @abstractmethod
    def request(self, seed: int, index: int) -> PlannedRequest:
        """The ``index``-th conversation's first request (from 0)."""

    def conversation(self, seed: int, index: int) -> list[PlannedRequest]:
        """All turns of the ``index``-th conversation; ``follows`` counts within this list."""
        return [self.request(seed, index)]

    def classes(self) -> tuple[Workload, ...]:
        """The workloads that this one is mixed from; itself when it is of one kind."""
        return (self,)

    def plan(
        self, rate: float, start: float, end: float, seed: int, arrivals: Arrivals
    ) -> list[Timed]:
        """What is due in ``[start, end)`` seconds at ``rate`` requests per second.

        Requests that follow nothing are sorted by ``due``; those that do stand behind the one
        they follow.
        """
        times = arrivals.times(rate, start, end, seed)
        return [Timed(due, self.request(seed, index)) for index, due in enumerate(times)]


def generator(name: str, seed: int, item: int | str) -> random.Random:
    """The source of everything that is random about one item of the workload ``name``."""
    return random.Random(f"{name}/{seed}/{item}")
