"""From a workload's plan to requests of token ids, conversations included."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from goodput.bench.workloads.base import Message, PlannedRequest, Timed
from goodput.core.record import RequestRecord

# What a chat template puts around one message, about.
_MARKUP_TOKENS: Final = 5


class Encoder(Protocol):
    """Messages to the token ids of a prompt, as a server makes them."""

    def __call__(self, messages: Sequence[dict[str, Any]], /) -> list[int]: ...


@dataclass(slots=True, eq=False)
class Arrival:
    """One request: when it is due, its prompt, and the record that is filled while it runs.

    ``later`` is the next turn of its conversation: its prompt is this one's with the made-up answer
    and its own messages behind it, known only when this one ends.
    """

    record: RequestRecord
    planned: PlannedRequest
    prompt: list[int]
    answer: list[int] = field(default_factory=list)
    later: Arrival | None = None


def arrivals_of(
    plan: Iterable[Timed], encode: Encoder, workload: str, start: float = 0.0
) -> list[Arrival]:
    """The requests of a plan, due ``start`` seconds later than it says, in its order."""
    found: list[Arrival] = []
    for number, timed in enumerate(plan):
        planned = timed.request
        opening = planned.follows is None
        record = RequestRecord(
            id=f"r{number}",
            workload=planned.kind or workload,
            scheduled=start + timed.due if opening else math.inf,
            slo=planned.slo,
            token_source="usage",
        )
        arrival = Arrival(record, planned, encode(_plain(planned.messages)))
        found.append(arrival)
        if planned.follows is not None:
            found[planned.follows].later = arrival
    return found


def continued(arrival: Arrival, later: Arrival) -> list[int]:
    """The prompt of the turn that follows ``arrival``, which has ended."""
    return [*arrival.prompt, *arrival.answer, *[1] * _MARKUP_TOKENS, *later.prompt]


def _plain(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [{"role": message.role, "content": message.content} for message in messages]
