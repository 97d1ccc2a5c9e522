"""A day of traffic: its rate over the day, its lengths, its seed."""

from __future__ import annotations

import numpy as np
import pytest

from goodput.core.errors import UsageError
from goodput.plan.scale.traffic import DAY_S, Diurnal

DAY = Diurnal(rate=2.0, prompt=(300, 0.9, 8, 1500), output=(120, 0.8, 1, 500))


def test_a_day_has_its_rate_and_its_swing() -> None:
    times = np.concatenate([arrivals.times_s for arrivals in DAY])
    assert np.all(np.diff(times) >= 0) and times[0] >= 0 and times[-1] < DAY_S
    assert times.size == pytest.approx(2.0 * DAY_S, rel=0.01)
    by_hour = np.bincount((times // 3600).astype(int))
    assert by_hour[14:16].mean() == pytest.approx(3 * 3600, rel=0.03)
    assert by_hour[2:4].mean() == pytest.approx(1 * 3600, rel=0.04)


def test_lengths_are_clipped_and_have_their_median() -> None:
    hour = Diurnal(rate=5.0, prompt=DAY.prompt, output=DAY.output, seconds=3600.0)
    prompts = np.concatenate([arrivals.prompts for arrivals in hour])
    outputs = np.concatenate([arrivals.outputs for arrivals in hour])
    assert (prompts.min(), prompts.max()) >= (8, 1500) and outputs.min() >= 1
    assert np.median(prompts) == pytest.approx(300, rel=0.05)
    assert np.median(outputs) == pytest.approx(120, rel=0.05)


def test_the_seed_is_the_day() -> None:
    def first_minute(seed: int) -> list[float]:
        day = Diurnal(rate=2.0, prompt=DAY.prompt, output=DAY.output, seed=seed)
        return next(iter(day)).times_s.tolist()

    assert first_minute(1) == first_minute(1) != first_minute(2)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"rate": 0.0}, "rate"), ({"swing": 1.5}, "swing"), ({"seconds": 0.0}, "seconds")],
)
def test_wrong_traffic_is_named(wrong: dict[str, float], field: str) -> None:
    values = {"rate": 1.0, **wrong}
    with pytest.raises(UsageError, match=field):
        Diurnal(prompt=DAY.prompt, output=DAY.output, **values)
