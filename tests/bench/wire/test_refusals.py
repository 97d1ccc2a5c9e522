"""What servers and the proxies before them answer instead of a stream."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.endpoint import Endpoint
from goodput.core.record import RequestRecord

Start = Any
BODY = b'{"messages": [{"role": "user", "content": "hi"}]}'


async def send(url: str) -> RequestRecord:
    record = RequestRecord(id="r", workload="w", scheduled=time.monotonic())
    async with Endpoint(url) as endpoint:
        await BenchClient(endpoint, time.monotonic, 10.0).send(record, BODY)
    return record


def response(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("", None)],
)
async def test_retry_after_in_seconds(
    start: Start, wire: Any, header: str, seconds: float | None
) -> None:
    server = await start(lambda _: [wire.whole(429, {}, f"Retry-After: {header}")])
    record = await send(server.url)
    assert (record.status, record.retry_after_s) == ("rejected", seconds)


@pytest.mark.parametrize(("ahead", "low", "high"), [(60, 50.0, 60.0), (-60, 0.0, 0.0)])
async def test_retry_after_as_a_date(
    start: Start, wire: Any, ahead: int, low: float, high: float
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    server = await start(lambda _: [wire.whole(503, {}, f"Retry-After: {date}")])
    record = await send(server.url)
    assert record.retry_after_s is not None and low <= record.retry_after_s <= high


async def test_a_page_of_a_proxy_is_known_by_its_title(start: Start) -> None:
    page = b"<html><head><title>502\n Bad&nbsp;Gateway</title></head><body>nginx</body></html>"
    server = await start(lambda _: [response(502, page, "Content-Type: text/html")])
    record = await send(server.url)
    assert (record.status, record.http_status, record.error) == ("error", 502, "502 Bad Gateway")


async def test_a_page_that_claims_success_is_no_answer(start: Start) -> None:
    page = b"<html><title>Welcome</title></html>"
    server = await start(lambda _: [response(200, page, "Content-Type: text/html")])
    record = await send(server.url)
    assert (record.status, record.error) == (
        "error",
        "the answer is text/html, not an event stream",
    )


async def test_compression_is_not_asked_for_and_not_taken(start: Start) -> None:
    body = gzip.compress(b"data: [DONE]\n\n")
    headers = ("Content-Type: text/event-stream", "Content-Encoding: gzip")
    server = await start(lambda _: [response(200, body, *headers)])
    record = await send(server.url)
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert (record.status, record.error) == ("error", "the answer is compressed (gzip)")


async def test_redirects_are_not_followed_with_the_key(start: Start) -> None:
    server = await start(lambda _: [response(307, b"", "Location: http://elsewhere.invalid/")])
    record = await send(server.url)
    assert (record.status, record.http_status) == ("error", 307)


async def test_an_empty_complaint_still_says_something(start: Start) -> None:
    server = await start(lambda _: [response(500, b"")])
    assert (await send(server.url)).error == "HTTP 500 without a word"
