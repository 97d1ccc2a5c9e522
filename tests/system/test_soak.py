"""A minute of everything at once: crowds, clients that leave, nonsense, and workers that die."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import psutil
import pytest

DEPLOYMENT = """
engine_kind: modelled
modelled: {step_ms: 2, prefill_ms_per_token: 0.02, check_kv: true}
workers: {prefill: 1, decode: 2, mixed: 1}
limits: {max_attempts: 4, heartbeat_timeout_s: 5}
"""
CLIENTS = 500
SECONDS = float(os.environ.get("GOODPUT_SOAK_SECONDS", "60"))
KILL_EVERY_S = 3.0
TIMEOUT = aiohttp.ClientTimeout(total=60)
NONSENSE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"model": "smollm2:135m"}',
    b'{"model": "smollm2:135m", "messages": 7}',
    b'{"model": "smollm2:135m", "messages": [{"role": "user", "content": "x"}], "n": -1}',
    b'{"model": "other", "messages": [{"role": "user", "content": "x"}]}',
    b'{"model": "smollm2:135m", "messages": [{"role": "user", "content": "%s"}]}' % (b"x " * 9000),
    b"x" * 1_100_000,
]


def body_of(number: int, stream: bool) -> dict[str, Any]:
    """A few dozen distinct questions, so that each has a known right answer."""
    return {
        "model": "smollm2:135m",
        "messages": [{"role": "user", "content": f"Question {number}: " + "why " * number}],
        "temperature": 0,
        "max_tokens": 5 + number,
        "ignore_eos": True,
        "stream": stream,
    }


class Storm:
    """All clients, and what became of their requests."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.chat = url + "/chat/completions"
        self.health = url.removesuffix("/v1") + "/health"
        self.session = session
        self.right: dict[int, str] = {}
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.end = 0.0

    async def ask(self, number: int, stream: bool) -> tuple[str, str]:
        """(outcome, text); an outcome that is no answer must be a clear error."""
        async with self.session.post(self.chat, json=body_of(number, stream)) as response:
            if response.status != 200:
                return await self.refusal(response, {429, 503}), ""
            if not stream:
                data = orjson.loads(await response.read())
                return "answer", data["choices"][0]["message"]["content"]
            text = ""
            async for line in response.content:
                if not line.startswith(b"data: "):
                    continue
                if line.strip() == b"data: [DONE]":
                    return "answer", text
                event = orjson.loads(line[6:])
                if "error" in event:
                    assert event["error"]["message"]
                    return f"error in stream: {event['error']['code']}", ""
                for choice in event["choices"]:
                    text += choice["delta"].get("content") or ""
            self.wrong.append("a stream ended without an end")
            return "torn", ""

    async def refusal(self, response: aiohttp.ClientResponse, allowed: set[int]) -> str:
        data = orjson.loads(await response.read())
        if response.status not in allowed or not data["error"]["message"]:
            self.wrong.append(f"status {response.status}: {data}")
        return f"status {response.status}"

    async def leave_early(self, number: int, patience: float) -> str:
        try:
            outcome, _ = await asyncio.wait_for(self.ask(number, True), patience)
        except TimeoutError:
            return "left"
        return outcome

    async def talk_nonsense(self, body: bytes) -> str:
        try:
            async with self.session.post(self.chat, data=io.BytesIO(body)) as response:
                return await self.refusal(response, {400, 404, 413, 429, 503})
        except aiohttp.ClientError:
            return "cut off while sending too much"

    async def client(self, seed: int) -> None:
        dice = random.Random(seed)
        while time.monotonic() < self.end:
            kind, number = dice.random(), dice.randrange(len(self.right))
            if kind < 0.1:
                outcome = await self.talk_nonsense(dice.choice(NONSENSE))
            elif kind < 0.3:
                outcome = await self.leave_early(number, dice.expovariate(2.0))
            else:
                outcome, text = await self.ask(number, stream=kind < 0.8)
                if outcome == "answer" and text != self.right[number]:
                    self.wrong.append(f"question {number} got {text!r}")
            self.outcomes[outcome] += 1

    async def state(self) -> dict[str, Any]:
        async with self.session.get(self.health) as response:
            state: dict[str, Any] = orjson.loads(await response.read())
            return state

    async def rest(self) -> dict[str, Any]:
        """The state once all workers are ready and empty; fails when that takes long."""
        deadline = time.monotonic() + 30
        while True:
            state = await self.state()
            whole = state["status"] == "ready" and not state["sequences_in_flight"]
            for worker in state["workers"]:
                gauges = worker["gauges"]
                whole &= worker["state"] == "ready"
                whole &= gauges["free_kv_blocks"] == gauges["kv_blocks"] > 0
                whole &= not (gauges["running_requests"] or gauges["waiting_requests"])
            if whole:
                return state
            assert time.monotonic() < deadline, state
            await asyncio.sleep(0.1)


async def kill_workers(server: Any, end: float) -> int:
    """One random worker every few seconds; how many."""
    dice = random.Random(0)
    for kills in itertools.count():
        await asyncio.sleep(KILL_EVERY_S)
        if time.monotonic() > end - 1:
            return kills
        alive = server.workers()
        if alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                dice.choice(alive).kill()
    raise AssertionError


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_minute_of_everything(serve: Callable[..., Any]) -> None:
    server = serve(DEPLOYMENT)
    main = psutil.Process(server.process.pid)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
        storm = Storm(server.url, session)
        for number in range(32):
            outcome, storm.right[number] = await storm.ask(number, stream=False)
            assert outcome == "answer"
        storm.end = time.monotonic() + SECONDS
        killer = asyncio.create_task(kill_workers(server, storm.end))
        clients = [asyncio.create_task(storm.client(seed)) for seed in range(CLIENTS)]
        await asyncio.sleep(SECONDS / 3)
        early = main.memory_info().rss
        await asyncio.gather(*clients)
        kills = await killer
        late = main.memory_info().rss
        print(storm.outcomes, f"{kills} kills, RSS {early / 2**20:.0f} -> {late / 2**20:.0f} MiB")
        state = await storm.rest()
        restarts = sum(worker["gauges"]["restarts"] for worker in state["workers"])
        # Idle workers now check their own books; one that finds a fault ends, and is restarted.
        await asyncio.sleep(3.0)
        after = await storm.rest()
        assert sum(worker["gauges"]["restarts"] for worker in after["workers"]) == restarts
    assert storm.wrong == []
    assert restarts == kills, server.log
    assert storm.outcomes["answer"] > CLIENTS
    assert storm.outcomes["left"] > 0
    assert late < early * 1.25 + 16 * 2**20
    assert server.process.poll() is None
    assert "Traceback" not in server.log, server.log
    assert psutil.Process().num_fds() < CLIENTS
