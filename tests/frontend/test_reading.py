"""The watch for a client that leaves, where its timing matters."""

import asyncio

import pytest

from goodput.frontend.reading import CancelOnDisconnect, ClientGone


def receive_when(event):
    async def receive():
        await event.wait()
        return {"type": "http.disconnect"}

    return receive


async def test_a_client_that_leaves_cancels_the_block_once():
    left, reached = asyncio.Event(), []
    with pytest.raises(ClientGone):
        async with CancelOnDisconnect(receive_when(left)):
            left.set()
            try:
                await asyncio.sleep(5)
            finally:
                await asyncio.sleep(0)  # clean-up may wait: the cancellation came once
                reached.append("cleaned")
    assert reached == ["cleaned"]
    assert not asyncio.current_task().cancelling()


async def test_the_disconnect_after_a_complete_response_is_none():
    sent = asyncio.Event()
    async with CancelOnDisconnect(receive_when(sent)) as guard:
        guard.completed()
        sent.set()  # as servers do: their receive() tells of a disconnect after the last bytes
        await asyncio.sleep(0.01)


async def test_a_cancellation_from_outside_stays_one():
    async def block():
        async with CancelOnDisconnect(receive_when(asyncio.Event())):
            await asyncio.sleep(5)

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_passes():
    with pytest.raises(ValueError, match="ours"):
        async with CancelOnDisconnect(receive_when(asyncio.Event())):
            raise ValueError("ours")
