"""Hand-made timelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goodput.core.record import RequestRecord, TokenStamp

Make = Callable[..., RequestRecord]


@pytest.fixture
def make() -> Make:
    """``make(10.0, sent=…, tokens=[…])``: a good answer whose tokens came at these times.

    Items of ``tokens`` are times, or (time, count) for chunks of several tokens.
    """

    def build(scheduled: float, *, tokens: list[Any], **fields: Any) -> RequestRecord:
        stamps = [
            TokenStamp(*item) if isinstance(item, tuple) else TokenStamp(item) for item in tokens
        ]
        last = stamps[-1].time if stamps else scheduled
        values: dict[str, Any] = {
            "id": f"r{scheduled}",
            "workload": "hand",
            "sent": scheduled,
            "end": last,
            "status": "ok",
            "output_tokens": sum(stamp.count for stamp in stamps),
        }
        return RequestRecord(scheduled=scheduled, token_times=stamps, **(values | fields))

    return build
