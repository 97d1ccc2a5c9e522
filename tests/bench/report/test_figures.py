"""The numbers behind the pictures, on hand-made records."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.report.made import made_run

from goodput.bench.report.distributions import distribution
from goodput.bench.report.groups import groups_of, spread
from goodput.bench.report.over_time import bin_width, in_flight, token_counts
from goodput.bench.report.pictures import PICTURES, draw_pictures
from goodput.bench.report.timeline import segments, worst_stretch
from goodput.bench.scales import judge_at
from goodput.core.record import RequestRecord, TokenStamp
from goodput.core.slo import SLO
from goodput.core.timeline import Spans


def record(scheduled: float, ttft: float, **extra: object) -> RequestRecord:
    fields: dict[str, object] = {
        "id": "r",
        "workload": "chat",
        "scheduled": scheduled,
        "sent": scheduled,
        "token_times": [TokenStamp(scheduled + ttft), TokenStamp(scheduled + ttft + 0.1, 3)],
        "end": scheduled + ttft + 0.2,
        "status": "ok",
        "output_tokens": 4,
        "slo": SLO(ttft=0.5),
    }
    return RequestRecord(**(fields | extra))  # type: ignore[arg-type]


def test_windows_of_one_endpoint_and_rate_are_one_group() -> None:
    summary, records = made_run((2, 2, 1), endpoints={"b": 1.0, "a": 2.0}, seconds=6)
    groups = groups_of(summary, records)
    assert [(group.endpoint, group.rate) for group in groups] == [
        ("b", 1),
        ("b", 2),
        ("a", 1),
        ("a", 2),
    ]
    twice = [s.figures for s in summary.steps if (s.endpoint, s.figures.rate) == ("a", 2)]
    [group] = [group for group in groups if (group.endpoint, group.rate) == ("a", 2)]
    assert group.seconds == pytest.approx(12)
    assert group.met == sum(figures.met for figures in twice)
    assert sum(group.blame.values()) == len(group.records) - group.met
    assert group.goodput <= group.offered


def test_scales_judge_each_record_by_its_own_bounds() -> None:
    records = [record(0, 0.4), record(1, 0.9, slo=SLO(ttft=1.0)), record(2, 0.1, status="error")]
    points = judge_at(records, [0.5, 0.8, 0.9, 100])
    assert [(point.met, point.trials) for point in points] == [(0, 3), (1, 3), (2, 3), (2, 3)]


@given(st.lists(st.floats(0, 10), max_size=900).map(sorted), st.integers(0, 50))
def test_a_distribution_rises_to_the_share_that_has_a_value(
    values: list[float], failed: int
) -> None:
    points = distribution(values, len(values) + failed)
    assert points == sorted(points)
    if values:
        assert points[-1] == (values[-1], len(values) / (len(values) + failed))
    assert len(points) <= 802


def test_tokens_are_counted_where_they_were_read() -> None:
    assert token_counts([record(0.0, 0.95)], 0.5, 1.2) == [0, 1, 3]
    assert token_counts([record(0.0, 0.95)], 0.5, 1.05) == [0, 1, 3]
    assert sum(token_counts([record(0.0, 1.0)], 0.3, 1.1)) == 4, "none falls off the end"


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.01, 3)), max_size=40))
def test_flights_begin_and_end(requests: list[tuple[float, float]]) -> None:
    steps = in_flight([record(at, ttft) for at, ttft in requests])
    assert steps[0] == (0.0, 0) and steps[-1][1] == 0
    assert all(0 <= count <= len(requests) for _, count in steps)
    assert [at for at, _ in steps] == sorted(at for at, _ in steps)
    assert in_flight([record(1, 1, sent=None, status="never_sent", end=None)]) == [(0.0, 0)]


def test_bins_fit_into_the_picture() -> None:
    assert [bin_width(until) for until in (5.0, 60.0, 400.0)] == [0.1, 0.25, 2.0]
    assert 1e9 / bin_width(1e9) <= 240


def test_a_bar_has_no_gap_and_ends_with_its_request() -> None:
    spans = Spans(frontend=0.01, queued_prefill=0.1, prefill=0.2, transfer=0.01, decode=0.09)
    for made in (
        record(1.0, 0.4, spans=spans, sent=1.01),
        record(1.0, 0.4),
        record(1.0, 0.4, token_times=[], status="timeout", end=None),
        record(1.0, 0.4, sent=None, token_times=[], status="never_sent", end=None),
    ):
        bars = segments(made, until=5.0)
        at = made.scheduled
        for _, start, length in bars:
            assert start == pytest.approx(at) and length >= 0
            at = start + length
        assert at == pytest.approx(5.0 if made.end is None else made.end)


def test_the_timeline_shows_the_stretch_with_the_most_misses() -> None:
    summary, _ = made_run((2,), seconds=20)
    [step] = summary.steps
    start = step.figures.window.start
    records = [record(start + i, 0.9 if 11 <= i < 15 else 0.1) for i in range(20)]
    shown = worst_stretch(step, records[::-1], 5)
    assert [round(r.scheduled - start) for r in shown] == [10, 11, 12, 13, 14]
    assert len(worst_stretch(step, records, 50)) == 20
    good = [record(start - 3 + i, 0.1) for i in range(20)]
    assert worst_stretch(step, good, 5)[0].scheduled == start, "the warm-up is not worth showing"


def test_six_of_many_groups_are_from_end_to_end() -> None:
    groups = groups_of(*made_run(range(1, 10), seconds=3))
    assert [group.rate for group in spread(groups, 4)] == [1, 4, 6, 9]
    assert spread(groups[:3], 4) == groups[:3]


def test_odd_runs_can_be_drawn() -> None:
    summary, records = made_run((2,), seconds=4)
    for bare in records:
        bare.token_times, bare.end, bare.spans = [], None, None
        bare.status, bare.output_tokens, bare.sent = "never_sent", 0, None
    drawn = draw_pictures(summary, records)
    assert {picture.name for picture in drawn} <= set(PICTURES)
    assert {"distributions", "throughput", "timeline"} <= {picture.name for picture in drawn}


def test_every_picture_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "bench.md").read_text()
    for name in PICTURES:
        assert f"| `{name}` |" in page
