"""When a run proves nothing: each reason on hand-made timelines, at and beyond its limit."""

from __future__ import annotations

import pytest

from goodput.core.record import RequestRecord
from goodput.core.validity import Window, achieved, invalid_reasons

WINDOW = Window(start=10.0, end=20.0)


def requests(*lates: float | None) -> list[RequestRecord]:
    """One request every 10 s / n of the window, sent so much late, or never."""
    records = []
    for index, late in enumerate(lates):
        due = 10.0 + 10.0 * index / len(lates)
        sent = None if late is None else due + late
        records.append(RequestRecord(id=str(index), workload="w", scheduled=due, sent=sent))
    return records


def test_a_run_on_time_has_nothing_against_it() -> None:
    assert invalid_reasons(requests(*[0.001] * 100), WINDOW) == []


def test_an_empty_window_proves_nothing() -> None:
    assert invalid_reasons([], WINDOW) == ["no request was scheduled in the measured window"]


@pytest.mark.parametrize(
    ("late", "count", "invalid"),
    [
        (0.0099, 200, False),
        (0.0101, 200, True),
        (0.5, 2, False),  # 1 % of 200: the p99 lies between it and the 199th
        (0.5, 4, True),
    ],
)
def test_late_sends_are_judged_by_their_p99(late: float, count: int, invalid: bool) -> None:
    records = requests(*[late] * count, *[0.0] * (200 - count))
    reasons = invalid_reasons(records, WINDOW)
    assert bool(reasons) == invalid
    assert all("the client sent late: the p99 of sent − scheduled is" in one for one in reasons)


@pytest.mark.parametrize(("never", "invalid"), [(2, False), (3, True)])
def test_more_than_two_per_cent_unsent_is_too_slow(never: int, invalid: bool) -> None:
    reasons = invalid_reasons(requests(*[0.0] * (100 - never), *[None] * never), WINDOW)
    assert bool(reasons) == invalid
    if invalid:
        assert reasons == [
            "the client was too slow: it sent 97 of 100 requests in the window, "
            "more than 2% too few"
        ]


def test_a_request_that_left_after_the_window_was_not_achieved_in_it() -> None:
    records = requests(0.0, 0.0, 0.0, 0.0)
    records[-1].sent = WINDOW.end + 0.009
    assert achieved(records, WINDOW) == 4, "as late as any request may be"
    records[-1].sent = WINDOW.end + 0.011
    assert achieved(records, WINDOW) == 3
    assert any("too slow: it sent 3 of 4" in reason for reason in invalid_reasons(records, WINDOW))


def test_the_early_half_cannot_hide_a_client_that_falls_behind() -> None:
    records = requests(*[index * 0.001 for index in range(100)])
    assert any("sent late" in reason for reason in invalid_reasons(records, WINDOW))
