"""What a workload is: a seeded sequence of requests, and the latency its users were promised."""

from __future__ import annotations

from typing import Protocol

import msgspec

from goodput.core.slo import SLO


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation, in OpenAI's shape."""

    role: str
    content: str


class PlannedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as the workload wants it; ``max_tokens`` is the answer's exact length where the
    server can be told to ignore the end-of-sequence token, else its upper bound."""

    messages: tuple[Message, ...]
    max_tokens: int


class Workload(Protocol):
    """A named class of requests. Stateless: request ``index`` of a seed is always the same."""

    name: str
    slo: SLO

    def request(self, seed: int, index: int) -> PlannedRequest:
        """The ``index``-th request (from 0); the same arguments give the same request anywhere."""
        ...
