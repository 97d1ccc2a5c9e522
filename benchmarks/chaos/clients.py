"""Clients that ask again only when the server was restarted, and note all that is not right."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson
from host import Host

_PATIENCE_S: Final = 120.0
_SHARE_THAT_LEAVES: Final = 0.15


@dataclass
class Tally:
    """``outcomes``: sent, answered, left, refused, lost, and asked again after a restart."""

    outcomes: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)


class Torn(Exception):  # noqa: N818
    """The answer ended without an end, or with an error."""


class Crowd:
    """Knows the right answers; ``run`` is a phase of load."""

    def __init__(self, host: Host, questions: list[dict[str, Any]], tally: Tally) -> None:
        self._host = host
        self._questions = questions
        self._tally = tally
        self._right: list[str] = []

    async def learn(self) -> None:
        """Ask every question once, alone, while nothing is wrong."""
        self._right = [await self._ask(body, stream=False) for body in self._questions]

    async def run(self, clients: int, seconds: float, seed: int) -> None:
        """Load for ``seconds``; returns when the last request has ended."""
        end = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._client(seed * 1000 + i, end) for i in range(clients)))

    async def _client(self, seed: int, end: float) -> None:
        dice = random.Random(seed)
        while asyncio.get_running_loop().time() < end:
            number, stream = dice.randrange(len(self._questions)), dice.random() < 0.7
            patience = dice.expovariate(3.0) if dice.random() < _SHARE_THAT_LEAVES else _PATIENCE_S
            self._tally.outcomes["sent"] += 1
            try:
                async with asyncio.timeout(patience):
                    outcome = await self._until_answered(number, stream)
            except TimeoutError:
                outcome = "left" if patience < _PATIENCE_S else "lost"
                if outcome == "lost":
                    self._tally.lost.append(f"question {number}: no end in {patience:g} s")
            self._tally.outcomes[outcome] += 1
            await asyncio.sleep(dice.expovariate(10.0))

    async def _until_answered(self, number: int, stream: bool) -> str:
        while True:
            life, down = self._host.life, not self._host.up.is_set()
            try:
                text = await self._ask(self._questions[number], stream)
            except aiohttp.ClientResponseError as error:
                if error.status == 429:
                    return "refused"
                complaint = f"status {error.status}: {error.message}"
            except (aiohttp.ClientError, Torn) as error:
                complaint = repr(error)
            else:
                if text != self._right[number]:
                    self._tally.mismatches.append(
                        f"question {number}: {text!r} is not {self._right[number]!r}"
                    )
                return "answered"
            if not (down or self._host.life != life):
                self._tally.lost.append(f"question {number}: {complaint}")
                return "lost"
            self._tally.outcomes["asked again"] += 1
            await self._host.up.wait()

    async def _ask(self, body: dict[str, Any], stream: bool) -> str:
        """The text, and log-probabilities where asked for."""
        url = f"{self._host.url}/v1/chat/completions"
        async with self._host.session.post(url, json={**body, "stream": stream}) as response:
            if response.status != 200:
                message = (await response.text())[:300]
                raise aiohttp.ClientResponseError(
                    response.request_info, (), status=response.status, message=message
                )
            if not stream:
                choice = orjson.loads(await response.read())["choices"][0]
                return _answer([choice["message"]["content"]], [choice], choice["finish_reason"])
            return await _read_stream(response)


async def _read_stream(response: aiohttp.ClientResponse) -> str:
    texts: list[str] = []
    choices: list[dict[str, Any]] = []
    reason = None
    async for line in response.content:
        if not line.startswith(b"data: "):
            continue
        if line.strip() == b"data: [DONE]":
            return _answer(texts, choices, reason)
        event = orjson.loads(line[6:])
        if "error" in event:
            raise Torn(event["error"]["message"])
        for choice in event["choices"]:
            texts.append(choice["delta"].get("content") or "")
            choices.append(choice)
            reason = choice["finish_reason"] or reason
    raise Torn("the stream ended without an end")


def _answer(texts: list[str], choices: list[dict[str, Any]], reason: str | None) -> str:
    logprobs = [entry for choice in choices for entry in _logprobs(choice)]
    return f"{''.join(texts)} [{reason}] {logprobs or ''}"


def _logprobs(choice: dict[str, Any]) -> list[Any]:
    return (choice.get("logprobs") or {}).get("content") or []
