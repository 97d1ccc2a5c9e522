"""How thinking becomes frames under each clock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.arena.toys import after

from goodput.arena.clocks import CLOCKS, make_clock
from goodput.arena.clocks.base import Clock, Question, frames_of
from goodput.arena.clocks.wall import WallClock
from goodput.arena.players.base import Decision
from goodput.core.errors import UsageError


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [(0.0, 0), (0.001, 1), (1 / 60, 1), (0.0167, 2), (0.05, 3), (1.0, 60), (0.1 + 0.2, 18)],
)
def test_an_answer_counts_at_the_first_frame_after_it_came(seconds: float, frames: int) -> None:
    assert frames_of(seconds) == frames


@given(st.floats(0, 100), st.floats(0, 1))
def test_more_time_is_never_fewer_frames(seconds: float, more: float) -> None:
    assert frames_of(seconds) <= frames_of(seconds + more)


async def question(decision: Decision, frame: int = 0, seat: int = 0) -> Question:
    async def answer() -> Decision:
        return decision

    return Question(seat, frame, (), (0, 1, 2), asyncio.create_task(answer()))


async def due(clock: Clock, decision: Decision, frame: int = 0, horizon: int = 10_000) -> Any:
    asked = await question(decision, frame)
    clock.start()
    reached = await clock.wait([asked], frame, horizon)
    return reached, asked.due


async def test_paused_gives_all_the_time_in_the_world() -> None:
    assert await due(make_clock("paused"), after(9.0), frame=7) == (7, 7)


async def test_virtual_charges_what_was_measured() -> None:
    assert await due(make_clock("virtual"), after(0.5), frame=7) == (37, 37)
    assert await due(make_clock("virtual", slow_down=4.0), after(0.5)) == (120, 120)


async def test_tokens_charges_what_was_written() -> None:
    # Two calls of 100 ms, and 20 tokens at 50 a second: 0.6 s, however long it really took.
    clock = make_clock("tokens", ttft_s=0.1, tokens_per_s=50.0)
    told = after(33.0, calls=2, output_tokens=20)
    assert await due(clock, told) == (36, 36)


async def test_a_computed_clock_stops_at_the_horizon() -> None:
    assert await due(make_clock("virtual"), after(1.0), horizon=20) == (20, 60)


async def test_all_questions_are_heard_before_time_goes_on() -> None:
    clock = make_clock("virtual")
    slow, fast = await question(after(1.0)), await question(after(0.1), seat=1)
    assert await clock.wait([slow, fast], 0, 10_000) == 6
    assert (slow.due, fast.due) == (60, 6)


class Seconds:
    """A wall clock for the test, moved by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time


async def test_wall_time_does_not_wait() -> None:
    seconds = Seconds()
    clock = WallClock(seconds=seconds)
    clock.start()
    never: asyncio.Task[Decision] = asyncio.create_task(asyncio.Event().wait())  # type: ignore[arg-type]
    asked = Question(0, 0, (), (), never)
    seconds.time += 0.5
    assert await clock.wait([asked], 0, 5) == 30  # Past the horizon: real time has passed.
    assert asked.due is None
    never.cancel()


async def test_wall_answers_count_at_the_next_frame() -> None:
    seconds = Seconds()
    clock = WallClock(seconds=seconds)
    clock.start()
    asked = await question(after(0.0))
    await asked.answer
    seconds.time += 0.5
    assert await clock.wait([asked], 0, 100) == 30
    assert asked.due == 31


async def test_wall_slowed_down_runs_more_frames_in_the_same_time() -> None:
    seconds = Seconds()
    clock = WallClock(slow_down=2.0, seconds=seconds)
    clock.start()
    seconds.time += 0.5
    assert await clock.wait([], 0, 100) == 60


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("sundial", {}, "paused, virtual, wall, tokens"),
        ("virtual", {"slow_down": 0.0}, "slow-down"),
        ("virtual", {"slow_down": float("nan")}, "slow-down"),
        ("paused", {"slow_down": 2.0}, "never runs"),
        ("tokens", {"ttft_s": 0.1}, "token rate"),
        ("tokens", {"ttft_s": -1.0, "tokens_per_s": 9.0}, "time to first token"),
        ("tokens", {"ttft_s": 0.1, "tokens_per_s": 0.0}, "token rate"),
        ("virtual", {"ttft_s": 0.1}, "only 'tokens'"),
    ],
)
def test_a_clock_that_cannot_be_is_refused(
    kind: str, settings: dict[str, float], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        make_clock(kind, **settings)


def test_every_kind_can_be_made() -> None:
    for kind in CLOCKS:
        fixed = {"ttft_s": 0.1, "tokens_per_s": 50.0} if kind == "tokens" else {}
        assert make_clock(kind, **fixed).kind == kind
