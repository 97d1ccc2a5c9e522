"""The alarms, on films made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from goodput.video.clip import Frames
from goodput.video.data.source import MovingShapes
from goodput.video.distillation.collapse import CollapsedError, Vitals, check, vitals


def real(count: int = 12) -> list[Frames]:
    return [MovingShapes(3).sample(number, 32)[0].frames for number in range(count)]


def test_real_films_are_alive() -> None:
    found = vitals(real())
    assert found.static_share < 0.4 and found.colour_entropy > 1
    check(found, vitals([MovingShapes(4).sample(number, 32)[0].frames for number in range(12)]))


def test_vitals_by_hand() -> None:
    still = np.zeros((3, 4, 4, 3), np.uint8)
    moving = still.copy()
    moving[1, :2] = 255
    found = vitals([still, moving])
    assert found.static_share == 0.5
    # 8 of 96 pixels are white.
    share = 8 / 96
    expected = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    assert found.colour_entropy == pytest.approx(expected)


def test_films_in_which_nothing_moves_stop_the_run() -> None:
    frozen = [np.repeat(film[:1], len(film), axis=0) for film in real()]
    with pytest.raises(CollapsedError, match="nothing moves in 100% of its films"):
        check(vitals(frozen), vitals(real()))


def test_films_of_one_colour_stop_the_run() -> None:
    grey = [np.full_like(film, 70) for film in real()]
    # They flicker, so that it is not their stillness that is seen.
    for film in grey:
        film[::2] += 28
    with pytest.raises(CollapsedError, match=r"its colours have 0\.00 bits"):
        check(vitals(grey), vitals(real()))


@pytest.mark.parametrize("gap", [4.5, float("nan"), float("inf")])
def test_a_critic_that_lost_its_way_stops_the_run(gap: float) -> None:
    well = Vitals(0.1, 3.0)
    check(well, well, 1.0)
    with pytest.raises(CollapsedError, match="the critic lost its way"):
        check(well, well, gap)
