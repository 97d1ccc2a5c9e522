"""Writes that a client does not read, and cancellations that have other reasons."""

import asyncio

import pytest

from goodput.frontend.reading import ClientGone
from goodput.frontend.stalls import StallWatch


async def _never() -> None:
    await asyncio.Event().wait()


async def test_a_write_that_stalls_is_a_client_that_left():
    watch = StallWatch(0.02)
    for _ in range(2):  # The task goes on, and its next write is watched as the first was.
        with pytest.raises(ClientGone):
            await asyncio.wait_for(watch.write(_never()), 5)
    assert asyncio.current_task().cancelling() == 0


async def test_writes_that_go_on_are_left_alone():
    watch = StallWatch(0.05)
    stalled = asyncio.create_task(watch.write(_never()))
    for _ in range(12):
        await watch.write(asyncio.sleep(0.01))
    with pytest.raises(ClientGone):
        await stalled


async def test_a_cancellation_from_elsewhere_stays_one():
    watch = StallWatch(0.02)
    task = asyncio.create_task(watch.write(_never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_comes_with_the_stall_wins():
    watch = StallWatch(0.0)
    task = asyncio.create_task(watch.write(_never()))
    await asyncio.sleep(0)
    task.cancel()
    watch._look(asyncio.get_running_loop())
    assert task.cancelling() == 2
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_left_behind_when_nobody_writes():
    watch = StallWatch(0.02)
    await watch.write(asyncio.sleep(0))
    await asyncio.sleep(0.05)
    assert (watch._timer, watch._since, watch._ended) == (None, {}, set())
