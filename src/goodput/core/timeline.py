"""A request's stamps inside the server, and the spans between them.

The spans telescope: whatever stamps are missing, they add up to ``finished - received`` exactly.
Definitions: docs/metrics.md, "Where the time went".
"""

from __future__ import annotations

import msgspec


class Spans(msgspec.Struct, frozen=True):
    """Where a request's time went, in seconds."""

    frontend: float = 0.0
    queued_prefill: float = 0.0
    prefill: float = 0.0
    queued_transfer: float = 0.0
    transfer: float = 0.0
    queued_decode: float = 0.0
    decode: float = 0.0

    def total(self) -> float:
        """Sum of all spans in seconds."""
        return float(sum(getattr(self, name) for name in self.__struct_fields__))

    @property
    def handoff(self) -> float:
        """Seconds from the prefill worker's first token to the decode worker's acceptance."""
        return self.queued_transfer + self.transfer


class Timeline(msgspec.Struct, omit_defaults=True):
    """Monotonic stamps in seconds; ``None`` where the request never came to that point.

    received → submitted → prefill_started → first_token → offered → accepted → decode_started
    → last_token → finished. ``offered`` and ``accepted`` exist only when the KV blocks were handed
    from a prefill to a decode worker.
    """

    received: float
    submitted: float | None = None
    prefill_started: float | None = None
    first_token: float | None = None
    offered: float | None = None
    accepted: float | None = None
    decode_started: float | None = None
    last_token: float | None = None
    finished: float | None = None

    def spans(self) -> Spans:
        """Split ``finished - received`` into spans; a missing stamp makes its span zero."""
        end = self.finished if self.finished is not None else self._latest()
        lengths: list[float] = []
        previous = self.received
        for stamp in (
            self.submitted,
            self.prefill_started,
            self.first_token,
            self.offered,
            self.accepted,
            self.decode_started,
            self.last_token,
        ):
            at = previous if stamp is None else min(max(stamp, previous), end)
            lengths.append(at - previous)
            previous = at
        before, queued_prefill, prefill, queued_transfer, transfer, queued_decode, decode = lengths
        return Spans(
            frontend=before + (end - previous),
            queued_prefill=queued_prefill,
            prefill=prefill,
            queued_transfer=queued_transfer,
            transfer=transfer,
            queued_decode=queued_decode,
            decode=decode,
        )

    def _latest(self) -> float:
        stamps = [getattr(self, name) for name in self.__struct_fields__]
        return float(max(stamp for stamp in stamps if stamp is not None))
