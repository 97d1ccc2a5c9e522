"""The same records judged by tighter and looser bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goodput.bench.sweep import judge_scales
from goodput.core.record import RequestRecord, TokenStamp
from goodput.core.slo import SLO


def record(ttft: float, bound: float) -> RequestRecord:
    return RequestRecord(
        id="r",
        workload="w",
        scheduled=0.0,
        sent=0.0,
        token_times=[TokenStamp(ttft)],
        end=ttft,
        status="ok",
        output_tokens=1,
        slo=SLO(ttft=bound),
    )


def test_every_request_is_judged_by_its_own_bounds_times_the_scale() -> None:
    measured = [record(0.4, 1.0), record(0.9, 1.0), record(0.9, 2.0), record(1.8, 1.0)]
    result = judge_scales(measured, [0.25, 0.5, 1.0, 2.0], rate=3.0, target=0.75)
    assert [point.met for point in result.scales] == [0, 2, 3, 4]
    assert result.tightest == 1.0
    assert "3 req/s" in result.words and "is 1." in result.words


def test_no_scale_that_keeps_the_target_is_said() -> None:
    result = judge_scales([record(5.0, 1.0)], [0.5, 2.0], rate=1.0, target=0.9)
    assert result.tightest is None and "no SLO scale up to 2" in result.words


@given(st.lists(st.tuples(st.floats(0.01, 9), st.floats(0.1, 9)), min_size=1, max_size=30))
def test_looser_bounds_never_lose_a_request(made: list[tuple[float, float]]) -> None:
    result = judge_scales([record(*one) for one in made], [0.25, 0.5, 1, 2, 4], 1.0, 0.9)
    met = [point.met for point in result.scales]
    assert met == sorted(met)
    kept = [point.scale for point in result.scales if point.attainment >= 0.9]
    assert result.tightest == (kept[0] if kept else None)
