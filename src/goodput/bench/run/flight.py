"""A request from its plan to its record, and the turns of the same conversation behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from goodput.bench.workloads.base import Message, PlannedRequest, Timed
from goodput.core.record import RequestRecord

_NO_ANSWER = "(no answer)"


@dataclass(slots=True, eq=False)
class Flight:
    """One request on its way; ``due`` is in seconds from the step's start.

    ``body`` is None until the messages are known, ``answer`` is there to be filled with the pieces
    of text where a ``later`` turn will need them.
    """

    record: RequestRecord
    request: PlannedRequest
    due: float = math.inf
    body: bytes | None = None
    answer: list[str] | None = None
    messages: tuple[Message, ...] = field(default=())
    later: Flight | None = None

    def __post_init__(self) -> None:
        self.messages = self.messages or self.request.messages

    def land(self) -> None:
        """Give the next turn its history, once this one has ended, well or not.

        A user whose question failed asks the next one all the same: an overloaded server must not
        be rid of the rest of a conversation by refusing its first turn.
        """
        if self.later is not None:
            text = "".join(self.answer or ()) or _NO_ANSWER
            self.later.messages = (
                *self.messages,
                Message("assistant", text),
                *self.later.request.messages,
            )


def make_flights(plan: Iterable[Timed], records: Sequence[RequestRecord]) -> list[Flight]:
    """A flight for each of ``plan``, linked to those that follow it; ``records`` become theirs."""
    flights = [
        Flight(record=record, request=timed.request, due=timed.due)
        for timed, record in zip(plan, records, strict=True)
    ]
    for flight in flights:
        if (index := flight.request.follows) is not None:
            earlier = flights[index]
            if earlier is flight or earlier.later is not None:
                raise ValueError(f"two requests of a plan follow the same one, number {index}")
            earlier.later = flight
            earlier.answer = []
    return flights
