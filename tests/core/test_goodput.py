"""Attainment, goodput, percentiles and validity: each rule on a timeline made by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.core.goodput import attainment, goodput, summarize, token_goodput
from goodput.core.percentiles import percentiles, wilson_interval
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO
from goodput.core.timeline import Spans
from goodput.core.validity import Window, invalid_reasons

Make = Callable[..., RequestRecord]
BOUND = SLO(ttft=1.0, tpot=0.1)
WINDOW = Window(start=10.0, end=20.0)


def test_attainment_is_over_everything_scheduled_and_failures_count(make: Make) -> None:
    records = [
        make(10.0, tokens=[10.5, 10.6]),
        make(11.0, tokens=[12.5, 12.6]),
        make(12.0, tokens=[12.5, 12.7]),
        make(13.0, tokens=[13.5, 13.6], status="error"),
        make(14.0, tokens=[], status="rejected"),
        make(15.0, tokens=[15.5], status="timeout"),
        make(16.0, tokens=[16.5], status="cut_off", end=None),
        make(17.0, tokens=[], status="never_sent", sent=None, end=None),
    ]
    assert attainment(records, BOUND) == 1 / 8
    assert goodput(records, BOUND, WINDOW.seconds) == 0.1
    assert token_goodput(records, BOUND, WINDOW.seconds) == 0.2
    summary = summarize(records, window=WINDOW, slo=BOUND, rate=0.8)
    assert (summary.met, summary.scheduled, summary.rejected) == (1, 8, 1)
    assert summary.statuses == {
        "cut_off": 1,
        "error": 1,
        "never_sent": 1,
        "ok": 3,
        "rejected": 1,
        "timeout": 1,
    }


def test_joint_bounds_are_stricter_than_each_alone(make: Make) -> None:
    slow_start = make(10.0, tokens=[11.5, 11.55])
    slow_tokens = make(11.0, tokens=[11.5, 11.9])
    records = [slow_start, slow_tokens]
    assert attainment(records, SLO(ttft=1.0)) == attainment(records, SLO(tpot=0.1)) == 0.5
    assert attainment(records, BOUND) == 0.0


def test_warm_up_and_what_follows_the_window_are_left_out(make: Make) -> None:
    warm_up = make(9.999, tokens=[19.0])
    first = make(10.0, tokens=[10.5])
    after = make(20.0, tokens=[20.1])
    summary = summarize([warm_up, first, after], window=WINDOW, slo=BOUND, rate=0.1)
    assert (summary.scheduled, summary.attainment, summary.goodput) == (1, 1.0, 0.1)
    assert summary.ttft is not None and summary.ttft.p99 == 0.5


def test_a_request_that_ends_after_the_window_counts_where_it_was_scheduled(make: Make) -> None:
    summary = summarize([make(19.5, tokens=[20.4])], window=WINDOW, slo=BOUND, rate=0.1)
    assert (summary.met, summary.goodput) == (1, 0.1)


def test_a_stalled_server_shows_in_ttft_of_all_who_were_due_meanwhile(make: Make) -> None:
    # The server stands still from 10 to 15; a client that waits for answers sends late.
    records = [make(10.0 + i, sent=15.0, tokens=[15.1]) for i in range(5)]
    summary = summarize(records, window=WINDOW, slo=BOUND, rate=0.5)
    assert summary.ttft is not None and summary.ttft_from_sent is not None
    assert summary.ttft.p50 == pytest.approx(3.1)
    assert summary.ttft_from_sent.p50 == pytest.approx(0.1)
    assert summary.met == 0
    assert not summary.valid


def test_itl_is_the_pool_of_all_gaps(make: Make) -> None:
    many = make(10.0, tokens=[10.0 + 0.25 * i for i in range(9)])
    one = make(11.0, tokens=[11.0, 15.0])
    summary = summarize([many, one], window=WINDOW, slo=BOUND, rate=0.2)
    assert summary.itl is not None
    assert (summary.itl.count, summary.itl.p50) == (9, 0.25)


def test_figures_say_how_many_requests_they_are_of(make: Make) -> None:
    broken = make(10.0, tokens=[10.5, 10.6], status="error", end=10.7)
    refused = make(11.0, tokens=[], status="rejected", end=11.1)
    good = make(
        12.0, tokens=[12.5, 12.6], spans=Spans(queued_transfer=0.25, transfer=0.5), prompt_tokens=9
    )
    summary = summarize([broken, refused, good], window=WINDOW, slo=BOUND, rate=0.3)
    counts = [
        figure.count if figure else 0
        for figure in (summary.ttft, summary.tpot, summary.e2e, summary.handoff, summary.itl)
    ]
    assert counts == [2, 1, 1, 1, 2]
    assert summary.handoff is not None and summary.handoff.p50 == 0.75
    assert summary.prompt_tokens == 9


def test_an_empty_window_has_no_attainment_and_is_invalid() -> None:
    summary = summarize([], window=WINDOW, slo=BOUND, rate=1.0)
    assert summary.attainment is None
    assert summary.goodput == 0.0
    assert summary.invalid == ["no request was scheduled in the measured window"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_percentiles_are_numpys_linear_ones(values: list[float]) -> None:
    found = percentiles(values)
    assert found is not None
    expected = np.percentile(values, [50, 90, 99])
    assert [found.p50, found.p90, found.p99] == pytest.approx(expected.tolist())


def test_percentiles_of_nothing() -> None:
    assert percentiles([]) is None
    assert percentiles([None, 2.0]) == percentiles([2.0])


def test_wilson_interval_against_known_values() -> None:
    assert wilson_interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    low, high = wilson_interval(20, 20)
    assert 0.8 < low < high == pytest.approx(1.0)


def test_late_sends_make_a_run_invalid(make: Make) -> None:
    def run(late: float, count: int) -> list[str]:
        records = [make(10 + i * 0.05, tokens=[10.0 + i * 0.05]) for i in range(200)]
        for record in records[:count]:
            record.sent = record.scheduled + late
        return invalid_reasons(records, WINDOW)

    assert run(0.009, 200) == []
    assert run(1.0, 1) == []
    assert "p99 of sent − scheduled is 1000.0 ms" in run(1.0, 5)[0]


def test_a_client_that_sends_too_few_is_invalid(make: Make) -> None:
    def run(unsent: int) -> list[str]:
        records = [make(10 + i * 0.1, tokens=[10.0 + i * 0.1]) for i in range(100)]
        for record in records[:unsent]:
            record.sent = None
        return invalid_reasons(records, WINDOW)

    assert run(2) == []
    assert "sent 97 of 100 requests" in run(3)[0]


def test_requests_sent_after_the_window_were_not_offered_at_the_rate(make: Make) -> None:
    records = [make(10 + i * 0.1, tokens=[30.0], sent=20.5) for i in range(100)]
    assert any("sent 0 of 100" in reason for reason in invalid_reasons(records, WINDOW))


def test_without_an_override_each_record_is_judged_by_its_own_slo(make: Make) -> None:
    fast, slow = SLO(ttft=0.5), SLO(ttft=2.0, target=0.95)
    records = [
        make(10.0, tokens=[11.0], slo=fast, workload="code"),
        make(11.0, tokens=[12.0], slo=slow, workload="summarize"),
        make(12.0, tokens=[15.0], slo=slow, workload="summarize"),
    ]
    summary = summarize(records, window=WINDOW, rate=0.3)
    assert (summary.met, summary.slo, summary.target) == (1, None, 0.95)
    assert sum(summary.blame.values()) == 2
    code, long = summary.by_kind["code"], summary.by_kind["summarize"]
    assert (code.scheduled, code.met, code.slo) == (1, 0, fast)
    assert (long.scheduled, long.met, long.slo, long.attainment) == (2, 1, slow, 0.5)
    assert long.goodput == 0.1 and long.ttft is not None and long.ttft.count == 2
    overridden = summarize(records, window=WINDOW, slo=SLO(ttft=5.0), rate=0.3)
    assert (overridden.met, overridden.slo) == (3, SLO(ttft=5.0))
    assert overridden.by_kind["code"].met == 1


def test_one_kind_has_no_breakdown_and_its_common_slo(make: Make) -> None:
    records = [make(10.0 + i, tokens=[10.5 + i], slo=BOUND) for i in range(3)]
    summary = summarize(records, window=WINDOW, rate=0.3)
    assert (summary.slo, summary.by_kind, summary.met) == (BOUND, {}, 3)
