"""HTTP/1.1 as servers really speak it: bodies of every framing, split and broken anywhere."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.bench.wire.answer import Answer, BrokenAnswerError
from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.connection import Connection
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.wire.reception import Reception
from goodput.core.record import RequestRecord

Start = Any
BODY = b'{"messages": [{"role": "user", "content": "hi"}]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"


def new_record() -> RequestRecord:
    return RequestRecord(id="r", workload="w", scheduled=time.monotonic())


async def send(url: str, *, timeout_s: float = 10.0) -> RequestRecord:
    async with Endpoint(url) as endpoint:
        record = new_record()
        await BenchClient(endpoint, time.monotonic, timeout_s).send(record, BODY)
        return record


class Quiet(asyncio.Transport):
    """A transport that takes everything; the bytes of the other side are the test's."""

    def write(self, data: Any) -> None:
        pass

    def abort(self) -> None:
        pass


def received(pieces: list[bytes]) -> tuple[RequestRecord, list[str]]:
    """The record of an answer whose bytes come in ``pieces``, then the connection ends."""

    async def receive() -> tuple[RequestRecord, list[str]]:
        record, said = new_record(), list[str]()
        reception = Reception(record, time.monotonic, said)
        answer = Answer(reception.take)
        connection = Connection(lambda _: None, lambda _: None)
        connection.connection_made(Quiet())
        connection.ask(b"", answer)
        for piece in pieces:
            connection.data_received(piece)
        connection.connection_lost(None)
        await answer.finished
        assert reception.verdict() is None
        return record, said

    return asyncio.run(receive())


EVENTS = [
    b'\xef\xbb\xbfdata: {"choices": [{"delta": {"role": "assistant"}}]}\n\n',
    b": keep-alive\n\n",
    'data: {"choices": [{"delta": {"content": "é\u2028"}}]}\r\n\r\n'.encode(),
    b'event: chunk\rdata: {"choices":\rdata: [{"delta": {"content": "two lines"}}]}\r\r',
    b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n',
    b'data:{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4}}\n\n',
    b"data: [DONE]\n\n",
]


def framed(framing: str, sizes: list[int]) -> bytes:
    """The whole response; chunks are cut at ``sizes``, which has nothing to do with the events."""
    stream = b"".join(EVENTS)
    if framing == "chunked":
        body, at = b"", 0
        for size in [*sizes, len(stream)]:
            piece = stream[at : at + size]
            at += size
            body += b"%x;x=1\r\n%b\r\n" % (len(piece), piece) if piece else b""
        return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nTrailer: x\r\n\r\n"
    if framing == "length":
        return HEAD + b"Content-Length: %d\r\n\r\n" % len(stream) + stream
    return HEAD + b"Connection: close\r\n\r\n" + stream


@given(
    framing=st.sampled_from(["chunked", "length", "until closed"]),
    sizes=st.lists(st.integers(1, 60), max_size=20),
    cuts=st.lists(st.integers(0, 2000), max_size=20),
    hint=st.booleans(),
)
def test_any_framing_and_any_split_of_the_bytes_give_the_same_record(
    framing: str, sizes: list[int], cuts: list[int], hint: bool
) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" if hint else b""
    response = early + framed(framing, sizes)
    places = [0, *sorted(cut % (len(response) + 1) for cut in cuts), len(response)]
    record, said = received([response[a:b] for a, b in itertools.pairwise(places) if a < b])
    assert (record.output_tokens, record.token_source) == (4, "usage")
    assert (record.prompt_tokens, record.finish_reason) == (5, "stop")
    assert "".join(said) == "é\u2028two lines"
    assert sum(stamp.count for stamp in record.token_times) == 2


@given(cut=st.integers(1, 2000))
def test_a_body_broken_off_anywhere_is_never_a_good_answer(cut: int) -> None:
    stream = b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n' * 3
    response = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (len(stream) + 9, stream)
    with pytest.raises(BrokenAnswerError, match="closed the connection"):
        received([response[: 1 + cut % len(response)]])


async def test_garbage_is_no_http(start: Start, wire: Any) -> None:
    server = await start(lambda _: [b"HTTP/1.1 abc\r\n\r\n"])
    record = await send(server.url)
    assert record.status == "error" and "not HTTP/1.1" in (record.error or "")


async def test_a_stream_that_goes_on_after_done_costs_the_connection_only(
    start: Start, wire: Any
) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done, 30.0])
    async with Endpoint(server.url) as endpoint:
        client = BenchClient(endpoint, time.monotonic, 10.0)
        for _ in range(2):
            record = new_record()
            await client.send(record, BODY)
            assert record.status == "ok"
    assert server.connections == 2, "the first was still busy"


async def test_a_connection_that_the_server_closed_is_not_used_again(
    start: Start, wire: Any
) -> None:
    stream = wire.token() + wire.finish + wire.done
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(stream) + stream
    server = await start(lambda _: [whole, 0.05, wire.close])
    async with Endpoint(server.url) as endpoint:
        client = BenchClient(endpoint, time.monotonic, 10.0)
        for _ in range(3):
            record = new_record()
            await client.send(record, BODY)
            assert record.status == "ok", record.error
            await asyncio.sleep(0.2)
    assert server.connections == 3


async def test_connection_close_is_honoured(start: Start, wire: Any) -> None:
    body = b'{"error": {"message": "no"}}'
    head = b"HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    server = await start(lambda _: [head + body, 0.5])
    async with Endpoint(server.url) as endpoint:
        client = BenchClient(endpoint, time.monotonic, 10.0)
        for _ in range(2):
            record = new_record()
            await client.send(record, BODY)
            assert (record.status, record.error) == ("error", "no")
    assert server.connections == 2


async def test_cancelling_closes_the_connection_and_leaves_a_cut_off_record(wire: Any) -> None:
    gone = asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(HEAD + b"\r\n" + wire.token())
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    async with Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as endpoint:
        record = new_record()
        client = BenchClient(endpoint, time.monotonic, 10.0)
        task = asyncio.create_task(client.send(record, BODY))
        while not record.token_times:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (record.status, record.output_tokens, record.end) == ("cut_off", 1, None)
        async with asyncio.timeout(5):
            await gone.wait()
    server.close()


async def test_a_bug_in_the_taker_is_raised_where_somebody_waits(start: Start, wire: Any) -> None:
    def take(events: list[bytes]) -> bool:
        raise ZeroDivisionError

    server = await start(lambda _: [wire.token(), wire.done])
    async with Endpoint(server.url) as endpoint:
        with pytest.raises(ZeroDivisionError):
            await endpoint.post("/chat/completions", BODY, Answer(take))
