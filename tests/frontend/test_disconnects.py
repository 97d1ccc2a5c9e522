"""A client that leaves cancels its work, in every state that the work can be in."""

import asyncio
import json
import random

import pytest

REPLY = b"x" * 100
END = b'"slo_met":null,"cached_tokens":0}}'


class Client:
    """A bare socket: closing it is all that a vanished client does."""

    @classmethod
    async def send(cls, server, path="/v1/completions", **fields):
        self = cls()
        body = json.dumps({"model": "tiny:1m", "prompt": "hey", "max_tokens": 100, **fields})
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        self.writer.write((head + body).encode())
        await self.writer.drain()
        return self

    async def leave(self, abruptly=False):
        if abruptly:
            self.writer.transport.abort()
        else:
            self.writer.close()
            await self.writer.wait_closed()


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("stalled_at", [0, 2])
async def test_leaving_cancels(server, eventually, stalled_at, stream, n, abruptly):
    server.generator.reply, server.generator.stall_after = REPLY, stalled_at
    client = await Client.send(server, stream=stream, n=n)
    await eventually(lambda: server.generator.active == n)
    if stream and stalled_at:
        await client.reader.readuntil(b'"text":"x"')
    await client.leave(abruptly)
    await eventually(lambda: server.generator.active == 0 and server.gate.pending == 0)
    assert server.generator.cancelled == n
    assert 'endpoint="completions",status="499"} 1.0' in await server.metrics()


async def test_leaving_while_tokens_flow_cancels(server, eventually):
    server.generator.reply, server.generator.gap_s = REPLY, 0.01
    client = await Client.send(server, stream=True, slo={"ttft_ms": 60_000})
    await client.reader.readuntil(b'"text":"x"')
    await client.leave()
    await eventually(lambda: server.generator.active == 0 and server.gate.pending == 0)
    assert server.generator.cancelled == 1
    assert 'goodput_slo_requests_total{outcome="missed"} 1.0' in await server.metrics()


async def test_random_departures_leave_nothing_behind(server, eventually):
    server.generator.reply, server.generator.gap_s = REPLY[:20], 0.005
    dice = random.Random(7)

    async def visit():
        client = await Client.send(server, stream=dice.random() < 0.5, n=dice.choice([1, 2]))
        await asyncio.sleep(dice.uniform(0, 0.2))
        await client.leave(abruptly=dice.random() < 0.5)

    await asyncio.gather(*(visit() for _ in range(150)))
    await eventually(lambda: server.generator.active == 0 and server.gate.pending == 0)
    assert (await server.chat(max_tokens=1)).status_code == 200


async def test_a_kept_connection_is_no_departure(server):
    client = await Client.send(server)
    first = await client.reader.readuntil(END)
    body = json.dumps({"model": "tiny:1m", "prompt": "again"}).encode()
    client.writer.write(
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    second = await client.reader.readuntil(END)
    await client.leave()
    assert b"200 OK" in first and b"200 OK" in second
    assert 'status="499"' not in await server.metrics()


@pytest.mark.parametrize("n", [1, 2])
async def test_a_client_that_stops_reading_gives_its_place_back(stage, monkeypatch, n):
    monkeypatch.setattr(stage.app.state.service.stalls, "timeout_s", 0.05)
    stage.generator.reply = REPLY
    body = json.dumps({"model": "tiny:1m", "prompt": "hey", "stream": True, "n": n}).encode()
    request = [{"type": "http.request", "body": body}]
    sent = []

    async def receive():
        return request.pop() if request else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()

    scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": []}
    await asyncio.wait_for(stage.app(scope, receive, send), 5)
    assert (stage.generator.active, stage.gate.pending) == (0, 0)
    assert stage.generator.cancelled == n
    assert 'status="499"' in await stage.metrics()
