"""Whether a run measured the server, or the load generator itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from goodput.core.percentiles import percentile
from goodput.core.record import RequestRecord

MAX_LATE_P99_S = 0.010
MIN_ACHIEVED_SHARE = 0.98


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The measured part of a run: scheduled times in ``[start, end)``, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return self.end - self.start

    def measured(self, records: Sequence[RequestRecord]) -> list[RequestRecord]:
        """The records scheduled inside the window; warm-up and anything later are left out."""
        return [record for record in records if self.start <= record.scheduled < self.end]


def achieved(records: Sequence[RequestRecord], window: Window) -> int:
    """How many of the window's requests were sent before it ended, give or take the late limit."""
    limit = window.end + MAX_LATE_P99_S
    return sum(1 for record in records if record.sent is not None and record.sent < limit)


def invalid_reasons(records: Sequence[RequestRecord], window: Window) -> list[str]:
    """Why the measured ``records`` of ``window`` prove nothing; empty for a valid run.

    The offered rate is the schedule's own count over the window, not the nominal rate: a Poisson
    schedule's count varies by chance, and that is no fault of the client.
    """
    if not records:
        return ["no request was scheduled in the measured window"]
    reasons = []
    late = sorted(record.late for record in records if record.late is not None)
    if late and (worst := percentile(late, 0.99)) > MAX_LATE_P99_S:
        reasons.append(
            f"the client sent late: the p99 of sent − scheduled is {worst * 1e3:.1f} ms, "
            f"above {MAX_LATE_P99_S * 1e3:.0f} ms"
        )
    sent = achieved(records, window)
    if sent < MIN_ACHIEVED_SHARE * len(records):
        reasons.append(
            f"the client was too slow: it sent {sent} of {len(records)} requests in the window, "
            f"more than {1 - MIN_ACHIEVED_SHARE:.0%} too few"
        )
    return reasons
