"""Bodies that are too large, over a real socket, in every way of sending them."""

import asyncio

import httpx
import pytest

from goodput.frontend import reading

LIMIT = 20_000


async def raw(server, *parts):
    """Send bytes and read the answer's head and body until the server closes or idles."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return (await asyncio.wait_for(reader.readuntil(b"}}"), 5)).decode()
    finally:
        writer.close()


@pytest.mark.parametrize("size", [LIMIT + 1, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_413_however_it_is_sent(server, size, chunked):
    async def pieces():
        for _ in range(0, size, 1000):
            yield b"x" * 1000
        yield b"x"

    async with httpx.AsyncClient(base_url=server.url) as client:
        content = pieces() if chunked else b"x" * size
        answer = await client.post("/v1/completions", content=content)
    assert answer.status_code == 413
    assert str(LIMIT) in answer.json()["error"]["message"]


async def test_a_body_of_exactly_the_limit_is_read(server):
    body = b'{"model":"tiny:1m","prompt":"a"}'
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post("/v1/completions", content=body.ljust(LIMIT))
    assert answer.status_code == 200


async def test_a_client_that_asks_first_sends_nothing(server):
    head = (
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
        b"content-length: 999999\r\n\r\n"
    )
    assert (await raw(server, head)).startswith("HTTP/1.1 413")


async def test_a_body_that_never_comes_is_408(server, monkeypatch):
    monkeypatch.setattr(reading, "BODY_TIMEOUT_S", 0.05)
    head = b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"
    assert (await raw(server, head)).startswith("HTTP/1.1 408")


async def test_a_client_that_leaves_in_its_body_is_no_error(server, eventually):
    head = b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head)
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.close()
    await writer.wait_closed()
    metrics = ""

    async def counted():
        nonlocal metrics
        while 'status="499"' not in metrics:
            metrics = await server.metrics()
            await asyncio.sleep(0.01)

    await asyncio.wait_for(counted(), 5)
    assert server.generator.requests == []
