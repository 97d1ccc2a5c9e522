"""The record of one request: the same for live traffic, the load generator and the simulator.

All stamps are seconds on one monotonic clock with one origin per file (the load generator's origin
is the start of its run). docs/metrics.md defines every figure that is derived from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.core.slo import SLO
from goodput.core.timeline import Spans

Status = Literal["ok", "error", "rejected", "timeout", "cut_off", "never_sent"]
TokenSource = Literal["usage", "chunks", "tokenizer"]

MAX_ERROR_CHARS = 300


class TokenStamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``count`` tokens that were read at ``time`` in one chunk."""

    time: float
    count: int = 1


class RequestRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One scheduled request and what became of it.

    A record is born ``never_sent``; it is ``cut_off`` from ``sent`` on until its end is known, so
    that a run which stops at any moment leaves truthful records. ``output_tokens`` is the count
    that ``token_source`` names; the stamps may hold fewer (an end-of-sequence token has no text)
    or count chunks of several tokens as one, where the server does not tell.
    """

    id: str
    workload: str
    scheduled: float
    sent: float | None = None
    token_times: list[TokenStamp] = []
    end: float | None = None
    status: Status = "never_sent"
    http_status: int | None = None
    error: str | None = None
    retry_after_s: float | None = None
    finish_reason: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    token_source: TokenSource = "chunks"
    slo: SLO | None = None
    spans: Spans | None = None

    @property
    def first_token(self) -> float | None:
        """Stamp of the first generated token."""
        return self.token_times[0].time if self.token_times else None

    @property
    def last_token(self) -> float | None:
        """Stamp of the last generated token."""
        return self.token_times[-1].time if self.token_times else None

    @property
    def late(self) -> float | None:
        """Seconds from ``scheduled`` to ``sent``: the client's own delay."""
        return None if self.sent is None else self.sent - self.scheduled

    @property
    def ttft(self) -> float | None:
        """Seconds from ``scheduled`` to the first token."""
        return None if self.first_token is None else self.first_token - self.scheduled

    @property
    def ttft_from_sent(self) -> float | None:
        """Seconds from ``sent`` to the first token; hides a late client."""
        if self.first_token is None or self.sent is None:
            return None
        return self.first_token - self.sent

    @property
    def tpot(self) -> float | None:
        """Seconds per output token after the first; None for fewer than two tokens."""
        if self.first_token is None or self.last_token is None or self.output_tokens < 2:
            return None
        return (self.last_token - self.first_token) / (self.output_tokens - 1)

    @property
    def e2e(self) -> float | None:
        """Seconds from ``scheduled`` to ``end``, however the request ended."""
        return None if self.end is None else self.end - self.scheduled

    def token_gaps(self) -> list[float]:
        """Seconds between consecutive token stamps; tokens of one chunk are 0 apart."""
        gaps: list[float] = []
        previous: float | None = None
        for stamp in self.token_times:
            if previous is not None:
                gaps.append(stamp.time - previous)
            gaps.extend([0.0] * (stamp.count - 1))
            previous = stamp.time
        return gaps

    def met(self, slo: SLO | None = None) -> bool:
        """Whether the request kept ``slo`` (its own if None; with neither, it only had to succeed).

        It met when it ended without error, returned at least one token, and every bound holds.
        """
        if self.status != "ok" or self.first_token is None or self.output_tokens < 1:
            return False
        bounds = slo if slo is not None else self.slo
        return bounds is None or bounds.met_by(ttft=self.ttft, tpot=self.tpot, e2e=self.e2e)

    def fail(self, status: Status, reason: str) -> None:
        """Set ``status`` and the reason, shortened to ``MAX_ERROR_CHARS`` characters."""
        self.status = status
        self.error = reason[:MAX_ERROR_CHARS]


def write_records(path: Path, records: Iterable[RequestRecord]) -> None:
    """Write one JSON object a line, atomically; raises UsageError when the file cannot be made."""
    write_atomically(path, msgspec.json.Encoder().encode_lines(list(records)))


def read_records(path: Path) -> list[RequestRecord]:
    """Read what :func:`write_records` wrote; raises UsageError naming the file and the line."""
    decoder = msgspec.json.Decoder(RequestRecord)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"cannot read the records {path}: {error.strerror}") from None
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            records.append(decoder.decode(line))
        except msgspec.MsgspecError as error:
            raise UsageError(f"line {number} of {path} is not a request record: {error}") from None
    return records
