"""Printing and scaling SLOs, and times as people write them."""

from __future__ import annotations

import pytest

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.core.units import parse_duration


def test_an_slo_is_printed_in_milliseconds() -> None:
    assert str(SLO(ttft=0.4, tpot=0.05)) == "TTFT ≤ 400 ms, TPOT ≤ 50 ms for 90%"


def test_scaling_multiplies_every_bound_and_no_target() -> None:
    assert SLO(ttft=1.0, tpot=0.1, target=0.8).scaled(2) == SLO(ttft=2.0, tpot=0.2, target=0.8)


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60.0), ("1.5m", 90.0), ("400ms", 0.4), ("7", 7.0), (" 0s ", 0.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, "--duration") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "-1s", "1 hour", "inf", "nan", "9" * 400])
def test_what_is_no_duration_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(UsageError, match="--duration must be a time"):
        parse_duration(text, "--duration")
