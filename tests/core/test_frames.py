"""Frames in time, on timelines made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.core.errors import InvalidRequestError
from goodput.core.frames import FilmRecord, FrameSLO, summarize_films

SLO = FrameSLO(first_frame=0.5, fps=2)
# Due at 0.5, 1.0, 1.5, 2.0.


def film(*times: float, frames: int = 4, error: str | None = None) -> FilmRecord:
    return FilmRecord(frames=frames, times=times, error=error)


def test_each_frame_has_its_own_deadline() -> None:
    assert [SLO.due(frame) for frame in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert film(0.5, 1.0, 1.5, 2.0).met(SLO)
    assert film(0.1, 0.1, 0.1, 0.1).on_time(SLO) == 4
    late = film(0.5, 1.1, 1.5, 2.0)
    assert late.on_time(SLO) == 3 and not late.met(SLO)
    # One that is late does not excuse the next.
    assert film(0.9, 1.4, 1.9, 2.4).on_time(SLO) == 0


def test_a_film_that_broke_off_is_not_met() -> None:
    assert film(0.1, 0.2, error="worker lost").on_time(SLO) == 2
    assert not film(0.1, 0.2, error="worker lost").met(SLO)
    assert not film(0.1, 0.2).met(SLO), "two frames are missing"
    assert film().first_frame is None and not film().met(SLO)


def test_stalls_are_what_the_viewer_waited() -> None:
    assert film(3.0, 3.0, 3.0, 3.0).stall_s(2) == 0.0, "before the first frame nothing is watched"
    # Shown at 0, 0.5; the third comes at 1.4 instead of 1.0; the last was there at 1.9.
    assert film(0.0, 0.1, 1.4, 1.5).stall_s(2) == pytest.approx(0.4)
    # Each chunk of two comes half a second late.
    assert film(0.0, 0.0, 1.5, 1.5).stall_s(2) == pytest.approx(0.5)


def test_a_window_by_hand() -> None:
    good, late, broken = film(0.2, 0.7, 1.2, 1.7), film(0.6, 0.9, 1.4, 1.9), film(error="gone")
    found = summarize_films([good, good, late, broken], SLO, seconds=8.0)
    assert found is not None
    assert (found.films, found.met, found.errors) == (4, 2, 1)
    assert found.attainment == 0.5 and found.attainment_low < 0.5 < found.attainment_high
    assert found.goodput == 0.25
    # Two films of two seconds in eight: half a viewer, all the time.
    assert found.streams == 0.5
    assert found.frames_on_time == 11 / 16
    assert found.first_frame is not None and found.first_frame.count == 3
    assert found.stall is not None and found.stall.p50 == 0.0
    assert summarize_films([], SLO, 1.0) is None


@given(
    times=st.lists(st.floats(0, 10), min_size=1, max_size=12).map(sorted),
    number=st.integers(0, 11),
    delay=st.floats(0, 5),
)
def test_a_later_arrival_never_helps(times: list[float], number: int, delay: float) -> None:
    number %= len(times)
    later = [time + delay if place >= number else time for place, time in enumerate(times)]
    before, after = (FilmRecord(frames=len(times), times=tuple(x)) for x in (times, later))
    assert after.on_time(SLO) <= before.on_time(SLO)
    # Who starts to watch later waits less afterwards; else a delay is a longer wait.
    if number:
        assert after.stall_s(SLO.fps) >= before.stall_s(SLO.fps) - 1e-9


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"first_frame": 0.0, "fps": 8}, "slo.first_frame must be a positive number"),
        ({"first_frame": 1.0, "fps": float("inf")}, "slo.fps must be a positive number"),
        ({"first_frame": 1.0, "fps": 8, "target": 0.0}, r"slo.target must lie in \(0, 1\]"),
    ],
)
def test_promises_that_are_none_are_refused(fields: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        FrameSLO(**fields)
