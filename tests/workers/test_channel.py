"""Frames survive any cut of the byte stream; nonsense and death are noticed."""

from __future__ import annotations

import asyncio
import socket

import msgspec
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from goodput.core.request import GenerationRequest, SamplingParams
from goodput.workers.channel import (
    MAX_FRAME_BYTES,
    ChannelClosed,
    ChannelCorrupt,
    FrameBuffer,
    WorkerChannel,
    frame,
)
from goodput.workers.host_channel import HostChannel
from goodput.workers.messages import (
    Cancel,
    FromWorker,
    Report,
    Stop,
    Submit,
    ToWorker,
    WorkerLoad,
)


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(1, 20)))
def test_frames_come_out_whole_however_the_stream_is_cut(
    payloads: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    buffer, received = FrameBuffer(), list[bytes]()
    for size in [*cuts, len(stream) or 1]:
        received += buffer.feed(stream[:size])
        stream = stream[size:]
    received += buffer.feed(stream)
    assert received == payloads


def test_an_oversized_frame_is_refused_before_it_is_read() -> None:
    with pytest.raises(ChannelCorrupt):
        FrameBuffer().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "little"))


def test_a_request_survives_the_wire() -> None:
    request = GenerationRequest(
        id="a#1",
        prompt=[1, 2**31],
        sampling=SamplingParams(logit_bias={7: -1.5}, stop_token_ids=(3,), logprobs=2),
        received=1.5,
        generated=[4],
    )
    wire = msgspec.msgpack.encode(Submit(request))
    assert msgspec.msgpack.decode(wire, type=ToWorker) == Submit(request)


async def talk() -> None:
    ours, theirs = socket.socketpair()
    worker = WorkerChannel(theirs)
    got: list[FromWorker] = []
    arrived = asyncio.Event()

    def on_message(message: FromWorker) -> None:
        got.append(message)
        arrived.set()

    channel = HostChannel(on_message, pytest.fail)
    await asyncio.get_running_loop().create_connection(lambda: channel, sock=ours)
    big = Cancel("x" * 1_000_000)
    channel.send(big)
    channel.send(Stop())
    received: list[ToWorker] = []
    while len(received) < 2:
        received += await asyncio.to_thread(worker.receive, 1.0)
    assert received == [big, Stop()]
    assert worker.receive(0.0) == []
    report = Report(WorkerLoad(running=3), released_leases=["l"])
    worker.send(report)
    await asyncio.wait_for(arrived.wait(), 5.0)
    assert got == [report]
    channel.close()
    channel.send(Stop())  # dropped
    await asyncio.sleep(0.01)
    with pytest.raises(ChannelClosed):
        worker.receive(1.0)
    with pytest.raises(ChannelClosed):
        worker.send(report)
    theirs.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_both_ends_talk_and_notice_the_end(run: object) -> None:
    run(talk())  # type: ignore[operator]


async def test_nonsense_closes_the_channel_once() -> None:
    ours, theirs = socket.socketpair()
    complaints: list[str] = []
    channel = HostChannel(lambda message: pytest.fail("a message"), complaints.append)
    await asyncio.get_running_loop().create_connection(lambda: channel, sock=ours)
    with theirs:
        theirs.sendall(frame(b"\xc1 nonsense") * 2)
        await asyncio.sleep(0.05)
        assert channel.closed
    assert len(complaints) == 1
