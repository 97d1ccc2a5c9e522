"""How far the load generator's stamps are from the server's own, on one clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import msgspec

from goodput.bench.selfcheck.timings import Timing
from goodput.core.percentiles import percentile
from goodput.core.record import RequestRecord

# What counts as exact: an error below this at the 99th percentile.
TOLERANCE_S = 0.001


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of ``count`` errors, in seconds."""

    count: int
    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, errors: Iterable[float]) -> Self | None:
        """Of the errors' sizes, whatever their signs; None when there are none."""
        sizes = sorted(map(abs, errors))
        if not sizes:
            return None
        return cls(
            count=len(sizes),
            p50=percentile(sizes, 0.50),
            p99=percentile(sizes, 0.99),
            max=sizes[-1],
        )


def token_errors(record: RequestRecord, timing: Timing, origin: float) -> list[float]:
    """Seconds from the server's write to the client's stamp, for each token that both saw.

    The record's clock starts at ``origin`` of the machine's monotonic clock, the server's at 0.
    """
    return [
        origin + stamp.time - written
        for stamp, written in zip(record.token_times, timing.tokens, strict=False)
    ]


def ttft_error(record: RequestRecord, timing: Timing) -> float | None:
    """The reported TTFT minus the time that the server took; None without a first token.

    It holds everything that is the client's fault: a late or early send as well as a late read.
    """
    if record.ttft is None or not timing.tokens:
        return None
    return record.ttft - (timing.tokens[0] - timing.received)


class CheckedRate(msgspec.Struct, kw_only=True):
    """One offered rate. Times in seconds, CPU shares of one core, rates per second.

    ``failed`` requests have no token times to compare, or not all; ``invalid`` is what the load
    generator itself says against the run; ``held`` is the verdict.
    """

    rate: float
    requests: int
    failed: int
    tokens_per_s: float
    token: Errors | None
    ttft: Errors | None
    late: Errors | None
    client_cpu_share: float
    invalid: list[str]
    held: bool = False

    def __post_init__(self) -> None:
        self.held = (
            self.requests > 0
            and not self.failed
            and not self.invalid
            and all(
                errors is not None and errors.p99 < TOLERANCE_S
                for errors in (self.token, self.ttft)
            )
        )


def compare(
    records: Sequence[RequestRecord], timings: Sequence[Timing | None], origin: float
) -> tuple[Errors | None, Errors | None, int]:
    """Errors of tokens and of TTFTs, and how many requests failed.

    ``timings[i]`` is what the server says of ``records[i]``, None when it never saw it.
    """
    tokens: list[float] = []
    firsts: list[float] = []
    failed = 0
    for record, timing in zip(records, timings, strict=True):
        complete = timing is not None and len(timing.tokens) == len(record.token_times)
        failed += record.status != "ok" or not complete
        if timing is None:
            continue
        tokens += token_errors(record, timing, origin)
        if (first := ttft_error(record, timing)) is not None:
            firsts.append(first)
    return Errors.of(tokens), Errors.of(firsts), failed
