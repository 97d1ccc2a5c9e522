"""Sends one request and fills its record while the answer streams in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import aiohttp
import msgspec

from goodput.bench.wire.chunks import Chunk, Usage, decode_chunk, error_message
from goodput.bench.wire.endpoint import Endpoint, reason_of
from goodput.bench.wire.sse import EventTooLargeError, SSEParser
from goodput.core.record import RequestRecord, Status, TokenStamp

_DONE = b"[DONE]"
_REJECTIONS = (429, 503)
_BAD_ENDINGS = ("error", "cancelled", "abort")
_TRAILER_TIMEOUT_S = 0.5


class BrokenStreamError(Exception):
    """The server's stream is not what it should be; the message says how."""


async def read_chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[list[Chunk | None], None]:
    """The chunks of every read from the socket, at once after it; None stands for ``[DONE]``.

    Raises BrokenStreamError for malformed events, aiohttp.ClientError for a lost connection.
    """
    parser = SSEParser()
    async for data in response.content.iter_any():
        try:
            events = parser.feed(data)
            if events:
                yield [None if event == _DONE else decode_chunk(event) for event in events]
        except EventTooLargeError as error:
            raise BrokenStreamError(str(error)) from None
        except msgspec.DecodeError as error:
            raise BrokenStreamError(f"the stream has a malformed event: {error}") from None


class BenchClient:
    """Sends prepared bodies to one endpoint. ``now`` gives seconds on the run's clock."""

    def __init__(self, endpoint: Endpoint, now: Callable[[], float], timeout_s: float) -> None:
        self._endpoint = endpoint
        self._now = now
        self._timeout_s = timeout_s

    async def send(self, record: RequestRecord, body: bytes) -> None:
        """Send ``body`` and fill ``record``; never raises for what the server or network does.

        ``sent`` is stamped as the request is handed to the connection, so that connecting to a
        busy server counts as the server's time. Cancelling leaves the record ``cut_off``.
        """
        record.sent = self._now()
        record.status = "cut_off"
        try:
            async with asyncio.timeout(self._timeout_s):
                async with await self._endpoint.post("/chat/completions", body) as response:
                    await self._receive(record, response)
        except TimeoutError:
            if record.status == "cut_off":
                self._fail(record, f"no end of the answer within {self._timeout_s:g} s", "timeout")
        except (aiohttp.ClientError, OSError, BrokenStreamError) as error:
            if record.status == "cut_off":
                self._fail(record, reason_of(error))

    async def _receive(self, record: RequestRecord, response: aiohttp.ClientResponse) -> None:
        record.http_status = response.status
        if response.status != 200:
            complaint = await self._endpoint.complaint(response)
            if response.status in _REJECTIONS:
                record.retry_after_s = _seconds(response.headers.get("Retry-After"))
                self._fail(record, complaint, "rejected")
            else:
                self._fail(record, complaint)
            return
        if response.content_type != "text/event-stream":
            self._fail(record, f"the answer is {response.content_type}, not an event stream")
            return
        done = await self._read_stream(record, response)
        if record.status == "error":
            return
        if record.finish_reason in _BAD_ENDINGS:
            self._fail(record, f"the server ended the answer with {record.finish_reason!r}")
        elif not done and record.finish_reason is None:
            self._fail(record, "the stream ended before the answer did")
        else:
            record.end = self._now()
            record.status = "ok"
        # What follows [DONE] has to be read for the connection to be used again.
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(_TRAILER_TIMEOUT_S):
                await response.read()

    async def _read_stream(self, record: RequestRecord, response: aiohttp.ClientResponse) -> bool:
        """Read until ``[DONE]``, an error or the end; whether ``[DONE]`` was seen."""
        usage: Usage | None = None
        try:
            async with aclosing(read_chunks(response)) as reads:
                async for chunks in reads:
                    time = self._now()
                    for chunk in chunks:
                        if chunk is None:
                            return True
                        if chunk.error is not None:
                            self._fail(record, error_message(chunk.error))
                            return False
                        _take_in(record, chunk, time)
                        usage = chunk.usage or usage
        finally:
            if usage is not None:
                _count_by_usage(record, usage)
        return False

    def _fail(self, record: RequestRecord, reason: str, status: Status = "error") -> None:
        record.end = self._now()
        record.fail(status, self._endpoint.redact(reason))


def _take_in(record: RequestRecord, chunk: Chunk, time: float) -> None:
    if count := chunk.tokens:
        record.token_times.append(TokenStamp(time, count))
        record.output_tokens += count
    for choice in chunk.choices:
        record.finish_reason = choice.finish_reason or record.finish_reason
    if chunk.goodput is not None:
        record.spans = chunk.goodput.spans()


def _count_by_usage(record: RequestRecord, usage: Usage) -> None:
    record.prompt_tokens = usage.prompt_tokens
    record.cached_tokens = usage.cached_tokens
    # A server that reports zero tokens for an answer that we saw does not count.
    if usage.completion_tokens > 0:
        record.output_tokens = usage.completion_tokens
        record.token_source = "usage"


def _seconds(header: str | None) -> float | None:
    """``Retry-After`` as seconds; None when it is absent or a date."""
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
