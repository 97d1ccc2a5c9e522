"""The tool's error, computed on timelines made by hand."""

from __future__ import annotations

import pytest

from goodput.bench.selfcheck.errors import (
    CheckedRate,
    Errors,
    compare,
    token_errors,
    ttft_error,
)
from goodput.bench.selfcheck.report import SelfcheckReport
from goodput.bench.selfcheck.timings import Timing
from goodput.core.record import RequestRecord, Status, TokenStamp

ORIGIN = 1000.0


def record(*times: float, scheduled: float = 1.0, status: Status = "ok") -> RequestRecord:
    """Times on the run's clock, whose zero is at 1000 s of the machine's."""
    return RequestRecord(
        id="r",
        workload="w",
        scheduled=scheduled,
        sent=scheduled,
        token_times=[TokenStamp(time) for time in times],
        output_tokens=len(times),
        status=status,
    )


def test_a_tokens_error_is_the_clients_stamp_minus_the_servers() -> None:
    timing = Timing(received=1001.0, tokens=[1001.5, 1002.0])
    assert token_errors(record(1.502, 2.0005), timing, ORIGIN) == pytest.approx([0.002, 0.0005])


def test_a_ttfts_error_has_the_late_send_and_the_late_read() -> None:
    # Sent 3 ms late, first token read 2 ms late: the server took 500 ms, the tool says 505.
    timing = Timing(received=1001.003, tokens=[1001.503])
    assert ttft_error(record(1.505), timing) == pytest.approx(0.005)


def test_a_send_that_is_early_is_an_error_too() -> None:
    timing = Timing(received=1000.9996, tokens=[1001.4996])
    error = ttft_error(record(1.4996), timing)
    assert error == pytest.approx(-0.0004)
    errors = Errors.of([error or 0.0])
    assert errors is not None and errors.max == pytest.approx(0.0004)


def test_requests_that_were_lost_are_failures_not_errors_of_zero() -> None:
    timing = Timing(received=1001.0, tokens=[1001.5, 1002.0])
    token, ttft, failed = compare(
        [record(1.5, 2.0), record(1.5), record(1.5, 2.0), record(status="timeout")],
        [timing, timing, None, Timing(received=1001.0, tokens=[])],
        ORIGIN,
    )
    assert failed == 3, "a lost token, a request that the server never saw, and a timeout"
    assert token is not None and token.count == 3
    assert ttft is not None and ttft.count == 2


def test_nothing_to_compare() -> None:
    assert compare([], [], ORIGIN) == (None, None, 0)


def checked(rate: float = 500.0, p99: float = 0.0004, **changes: object) -> CheckedRate:
    errors = Errors(count=100, p50=0.0001, p99=p99, max=0.01)
    fields: dict[str, object] = {
        "rate": rate,
        "requests": 100,
        "failed": 0,
        "tokens_per_s": rate * 50,
        "token": errors,
        "ttft": errors,
        "late": errors,
        "client_cpu_share": 0.5,
        "invalid": [],
    }
    return CheckedRate(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({}, True),
        ({"p99": 0.001}, False),
        ({"failed": 1}, False),
        ({"invalid": ["the client sent late"]}, False),
        ({"requests": 0}, False),
        ({"ttft": None}, False),
    ],
)
def test_a_rate_is_held_only_when_nothing_speaks_against_it(
    change: dict[str, object], held: bool
) -> None:
    assert checked(**change).held == held  # type: ignore[arg-type]


def test_what_the_machine_holds_in_words() -> None:
    full = SelfcheckReport(wanted=500, rates=[checked(500)])
    assert full.highest_held == 500
    assert full.words.startswith("This machine holds 500 requests/s (25,000 tokens/s)")
    assert "too much" not in full.words
    part = SelfcheckReport(
        wanted=500, rates=[checked(500, failed=9), checked(200, p99=0.0123), checked(100)]
    )
    assert part.highest_held == 100
    assert part.words.endswith("200 requests/s were too much: the p99 of the error was 12.30 ms.")
    none = SelfcheckReport(wanted=500, rates=[checked(100, failed=9), checked(50, failed=3)])
    assert none.highest_held is None
    assert none.words.startswith("Not even 50 requests/s") and "3 of 100 requests" in none.words
