"""A real server on a real socket that answers each request by a script, byte for byte."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

CLOSE = object()
Action = bytes | float | object
Script = list[Action]


def event(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def token(text: str = "word ", **extra: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}, **extra}]})


ROLE = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
FINISH = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
DONE = b"data: [DONE]\n\n"


def usage(completion: int, prompt: int = 7, cached: int = 0, **extra: Any) -> bytes:
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return event({"choices": [], "usage": counts, **extra})


@dataclass
class Received:
    """A chat request as it came in, and when each of the script's bytes went out."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float
    written: list[float] = field(default_factory=list)


@dataclass
class ScriptedServer:
    """``answer`` makes each request's script: bytes are sent, floats are waits, CLOSE cuts off.

    A script that begins with ``b"HTTP/"`` replaces the whole response; others are the body of a
    200 event stream, whose end is the connection's end unless ``chunked``.
    """

    answer: Callable[[Received], Script]
    models: list[str] = field(default_factory=lambda: ["toy", "other"])
    probe: Callable[[Received], Script] | None = None
    requests: list[Received] = field(default_factory=list)
    probes: list[Received] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The test's end cancels connections that nobody closed; asyncio would log each.
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        at = time.monotonic()
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        if head[0].startswith("GET "):
            data = {"data": [{"id": name} for name in self.models]}
            writer.write(whole(200, data))
            await writer.drain()
            return True
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        received = Received(head[0].split(" ")[1], headers, body, at)
        asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        if asked == "Say hello.":
            self.probes.append(received)
            script = (self.probe or (lambda _: [token(), FINISH, DONE]))(received)
        else:
            self.requests.append(received)
            script = self.answer(received)
        return await self._play(script, received, writer)

    async def _play(self, script: Script, received: Received, writer: asyncio.StreamWriter) -> bool:
        plain = bool(script) and isinstance(script[0], bytes) and script[0].startswith(b"HTTP/")
        if not plain:
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
        for action in script:
            if action is CLOSE:
                await writer.drain()
                return False
            if isinstance(action, bytes):
                framed = action if plain else b"%x\r\n%b\r\n" % (len(action), action)
                received.written.append(time.monotonic())
                writer.write(framed)
                await writer.drain()
            elif isinstance(action, float):
                await asyncio.sleep(action)
        if not plain:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return True


def whole(status: int, payload: object, *extra: str) -> bytes:
    body = json.dumps(payload).encode()
    lines = [
        f"HTTP/1.1 {status} Whatever",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *extra,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Wire:
    """The pieces that scripts are made of, for tests to take from the ``wire`` fixture."""

    event = staticmethod(event)
    token = staticmethod(token)
    usage = staticmethod(usage)
    whole = staticmethod(whole)
    role = ROLE
    finish = FINISH
    done = DONE
    close = CLOSE


@pytest.fixture
def wire() -> type[Wire]:
    return Wire


Start = Callable[..., Awaitable[ScriptedServer]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts scripted servers on free ports; they stop with the test."""
    servers: list[asyncio.Server] = []

    async def begin(
        answer: Callable[[Received], Script], *, tls: ssl.SSLContext | None = None, **settings: Any
    ) -> ScriptedServer:
        scripted = ScriptedServer(answer, **settings)
        server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        scripted.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        servers.append(server)
        return scripted

    yield begin
    for server in servers:
        server.close()
