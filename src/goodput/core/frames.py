"""Films that are watched while they are made: which frames came in time, and what that is worth.

A film is asked for at time 0. Frame i is due at the first-frame budget + i / fps, however late the
ones before it were. Pure functions; docs/metrics.md has the words. Times in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from goodput.core.errors import InvalidRequestError
from goodput.core.percentiles import Percentiles, percentiles, wilson_interval


class FrameSLO(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised: the first frame within ``first_frame`` seconds, ``fps`` frames a second
    from then on. ``target`` is the share of films that must keep it."""

    first_frame: float
    fps: float
    target: float = 0.90

    def __post_init__(self) -> None:
        for name in ("first_frame", "fps"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InvalidRequestError(
                    f"slo.{name} must be a positive number, not {getattr(self, name)}",
                    param=f"slo.{name}",
                )
        if not 0 < self.target <= 1:
            raise InvalidRequestError(
                f"slo.target must lie in (0, 1], not {self.target}", param="slo.target"
            )

    def due(self, frame: int) -> float:
        """When the frame of that number, from 0, has to be there."""
        return self.first_frame + frame / self.fps


class FilmRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One film as its viewer saw it. ``frames`` were asked for; ``times`` has the arrival of each
    that came, in order, from when the film was asked for; ``error`` is why the rest did not."""

    frames: int
    times: tuple[float, ...] = ()
    error: str | None = None

    @property
    def first_frame(self) -> float | None:
        """When the first frame came; None when none did."""
        return self.times[0] if self.times else None

    def on_time(self, slo: FrameSLO) -> int:
        """How many frames were there when they were due."""
        return sum(time <= slo.due(frame) for frame, time in enumerate(self.times))

    def met(self, slo: FrameSLO) -> bool:
        """Whether every frame that was asked for was on time."""
        return self.error is None and self.on_time(slo) == self.frames

    def stall_s(self, fps: float) -> float:
        """How long a viewer waited after the first frame.

        The player shows the first frame when it comes and each other one 1 / fps after the one
        before, or when it comes, whichever is later; the sum of these delays is the stall.
        """
        stall, shown = 0.0, None
        for time in self.times:
            wanted = time if shown is None else shown + 1 / fps
            stall += max(0.0, time - wanted)
            shown = max(time, wanted)
        return stall


class FilmSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All films that were asked for within ``seconds``.

    ``goodput`` is films met per second, ``streams`` how many seconds of film were watched in time
    each second: as many viewers as were served at once without a wait. ``frames_on_time`` is of
    all frames that were asked for. Stalls are of films that came whole.
    """

    slo: FrameSLO
    seconds: float
    films: int
    met: int
    attainment: float
    attainment_low: float
    attainment_high: float
    goodput: float
    streams: float
    frames_on_time: float
    first_frame: Percentiles | None
    stall: Percentiles | None
    errors: int


def summarize_films(
    records: Sequence[FilmRecord], slo: FrameSLO, seconds: float
) -> FilmSummary | None:
    """Sum up a window of ``seconds`` (> 0); None without films."""
    if not records:
        return None
    met = [record for record in records if record.met(slo)]
    whole = [record for record in records if len(record.times) == record.frames]
    low, high = wilson_interval(len(met), len(records))
    return FilmSummary(
        slo=slo,
        seconds=seconds,
        films=len(records),
        met=len(met),
        attainment=len(met) / len(records),
        attainment_low=low,
        attainment_high=high,
        goodput=len(met) / seconds,
        streams=sum(record.frames / slo.fps for record in met) / seconds,
        frames_on_time=sum(record.on_time(slo) for record in records)
        / max(1, sum(record.frames for record in records)),
        first_frame=percentiles(record.first_frame for record in records),
        stall=percentiles(record.stall_s(slo.fps) for record in whole),
        errors=sum(record.error is not None for record in records),
    )
