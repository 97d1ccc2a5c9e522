"""Sleeping to a moment: never early, in order, and nobody is left asleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from goodput.core.alarm import Sleeper

LOOPS = [uvloop.new_event_loop, asyncio.new_event_loop]


@pytest.mark.parametrize("new_loop", LOOPS)
def test_nobody_wakes_early(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """uvloop's own sleep wakes up to half a millisecond early: then a request leaves too soon."""

    async def measure() -> list[float]:
        spare = []
        async with Sleeper() as sleeper:
            for number in range(60):
                due = time.monotonic() + 0.0003 * (1 + number % 17)
                await sleeper.sleep(due - time.monotonic())
                spare.append(time.monotonic() - due)
        return spare

    with asyncio.Runner(loop_factory=new_loop) as runner:
        # The due moment went through one subtraction and one addition of floats.
        assert min(runner.run(measure())) > -1e-6


async def test_many_sleep_at_once_and_wake_in_order() -> None:
    woken: list[int] = []
    async with Sleeper() as sleeper:

        async def sleep(number: int) -> None:
            await sleeper.sleep(0.02 + 0.005 * number)
            woken.append(number)

        await asyncio.gather(*(sleep(number) for number in (3, 0, 4, 1, 2)))
    assert woken == [0, 1, 2, 3, 4]


async def test_a_cancelled_sleep_disturbs_no_other() -> None:
    async with Sleeper() as sleeper:
        first = asyncio.create_task(sleeper.sleep(0.01))
        second = asyncio.create_task(sleeper.sleep(0.03))
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert first.cancelled()


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_what_is_due_already_waits_one_round(seconds: float) -> None:
    """Others get their turn, as with asyncio's own sleep."""
    async with Sleeper() as sleeper:
        other = asyncio.create_task(asyncio.sleep(0, "had its turn"))
        for _ in range(3):
            await sleeper.sleep(seconds)
        assert other.done()
        await other
