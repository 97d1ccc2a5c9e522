"""A server behind HTTPS with an API key, with certificates made on the spot."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.dialect import first_model
from goodput.bench.wire.endpoint import Endpoint
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord

Start = Any
BODY = b'{"messages": [{"role": "user", "content": "hi"}]}'


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def test_the_key_travels_under_a_trusted_certificate(
    start: Start,
    wire: Any,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    server = await start(lambda _: [wire.token(), wire.finish, wire.done], tls=server_tls)
    async with Endpoint(server.url, "sk-very-secret") as endpoint:
        client = BenchClient(endpoint, time.monotonic, 10.0)
        for _ in range(2):
            record = RequestRecord(id="r", workload="w", scheduled=0.0)
            await client.send(record, BODY)
            assert (record.status, record.output_tokens) == ("ok", 1)
    assert server.requests[0].headers["authorization"] == "Bearer sk-very-secret"
    assert server.connections == 1, "one handshake for both"


async def test_an_unknown_certificate_is_refused_before_the_key_is_sent(
    start: Start, wire: Any, server_tls: ssl.SSLContext
) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done], tls=server_tls)
    async with Endpoint(server.url, "sk-very-secret") as endpoint:
        with pytest.raises(UsageError, match=r"certificate is not trusted .*SSL_CERT_FILE"):
            await first_model(endpoint)
    assert server.requests == []


async def test_https_to_a_server_that_speaks_http() -> None:
    async def complain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(complain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Endpoint(f"https://127.0.0.1:{port}") as endpoint:
        with pytest.raises(UsageError, match=r"cannot reach https://.*: TLS failed: \w"):
            await first_model(endpoint)
    server.close()
