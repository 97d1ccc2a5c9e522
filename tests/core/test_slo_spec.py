"""SLOs as people write them: in seconds, or as multiples of the unloaded latency."""

from __future__ import annotations

import pytest

from goodput.core.errors import InvalidRequestError
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec, Unloaded

ALONE = Unloaded(count=5, ttft=0.2, tpot=0.01, e2e=0.8)


def test_bounds_in_seconds_need_no_measurement() -> None:
    spec = SLOSpec.parse("ttft=400ms, tpot=50ms,e2e=1.5s", target=0.95)
    assert spec.resolve(None) == SLO(ttft=0.4, tpot=0.05, e2e=1.5, target=0.95)


def test_multiples_are_of_the_unloaded_latency_and_mix_with_seconds() -> None:
    spec = SLOSpec.parse("ttft=5x,tpot=2.5x,e2e=3s")
    assert spec.resolve(ALONE) == SLO(ttft=1.0, tpot=0.025, e2e=3.0)
    with pytest.raises(InvalidRequestError, match=r"slo\.ttft is a multiple"):
        spec.resolve(None)


def test_a_multiple_of_an_unknown_tpot_is_refused() -> None:
    one_token = Unloaded(count=5, ttft=0.2, tpot=None, e2e=0.2)
    with pytest.raises(InvalidRequestError, match=r"slo\.tpot is a multiple"):
        SLOSpec.parse("tpot=2x").resolve(one_token)


def test_seconds_are_told_as_multiples_where_both_are_known() -> None:
    assert ALONE.multiples(SLO(ttft=1.0, tpot=0.1)) == pytest.approx({"ttft": 5.0, "tpot": 10.0})
    one_token = Unloaded(count=5, ttft=0.2, tpot=None, e2e=0.2)
    assert one_token.multiples(SLO(ttft=1.0, tpot=0.1)) == pytest.approx({"ttft": 5.0})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ttft",
        "ttft=3",
        "ttft=-1ms",
        "itl=3ms",
        "ttft=0s",
        "ttft=0x",
        "ttft=1s,ttft=2x",
        "ttft=",
    ],
)
def test_what_is_no_slo_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        SLOSpec.parse(text)
