"""A conversation in the terminal, over the load generator's client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import aiohttp
import msgspec

from goodput.bench.wire.chunks import error_message
from goodput.bench.wire.client import BrokenStreamError, read_chunks
from goodput.bench.wire.dialect import first_model, reach, refusal
from goodput.bench.wire.endpoint import Endpoint, reason_of
from goodput.bench.workloads.base import Message
from goodput.core.errors import GoodputError, UsageError


@dataclass(slots=True)
class Conversation:
    """What was said so far, and how answers are to be made; ``model`` None is the first served."""

    model: str | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    turns: list[Message] = field(default_factory=list)

    async def ask(self, endpoint: Endpoint, text: str) -> AsyncGenerator[str, None]:
        """Stream the answer to ``text``. Both join the conversation once a part of it has come.

        Raises a GoodputError when the server refuses or breaks off; the conversation then holds
        what came until there.
        """
        if self.model is None:
            self.model = await first_model(endpoint)
        fields = {
            "model": self.model,
            "messages": [*self.turns, Message("user", text)],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "stream": True,
        }
        answer = ""
        body = msgspec.json.encode(fields)
        async with await reach(endpoint, endpoint.post("/chat/completions", body)) as response:
            if response.status != 200:
                raise await refusal(endpoint, response)
            try:
                async with aclosing(read_chunks(response)) as reads:
                    async for chunks in reads:
                        for chunk in chunks:
                            if chunk is None:
                                return
                            if chunk.error is not None:
                                raise UsageError(endpoint.redact(error_message(chunk.error)))
                            answer += chunk.text
                            if chunk.text:
                                yield chunk.text
            except (aiohttp.ClientError, BrokenStreamError) as error:
                raise UsageError(f"the answer broke off: {reason_of(error)}") from None
            finally:
                if answer:
                    self.turns += [Message("user", text), Message("assistant", answer)]


def converse(
    url: str, api_key: str | None, conversation: Conversation, message: str | None
) -> None:
    """Answer ``message``, or every line of the standard input until its end."""
    with asyncio.Runner() as runner:
        endpoint = Endpoint(url, api_key)
        runner.run(_enter(endpoint))
        try:
            if message is not None:
                runner.run(_answer(endpoint, conversation, message))
                return
            # The server's absence should show before the first question is typed.
            conversation.model = conversation.model or runner.run(first_model(endpoint))
            _loop(runner, endpoint, conversation)
        finally:
            runner.run(endpoint.__aexit__(None, None, None))


def _loop(runner: asyncio.Runner, endpoint: Endpoint, conversation: Conversation) -> None:
    typed = sys.stdin.isatty()
    if typed:
        import readline  # noqa: F401 (input() edits lines and keeps their history with it)

        print(f"{conversation.model}: Ctrl-C stops an answer, Ctrl-D leaves.")
    while True:
        try:
            text = input("> " if typed else "").strip()
        except EOFError:
            if typed:
                print()
            return
        except KeyboardInterrupt:
            print()
            continue
        if not text:
            continue
        try:
            runner.run(_answer(endpoint, conversation, text))
        except KeyboardInterrupt:
            print(" …")
        except GoodputError as error:
            # A refused message need not end the conversation; in a script it has to.
            if not typed:
                raise
            print(f"goodput: {error.message}", file=sys.stderr)


async def _enter(endpoint: Endpoint) -> None:
    await endpoint.__aenter__()


async def _answer(endpoint: Endpoint, conversation: Conversation, text: str) -> None:
    async with aclosing(conversation.ask(endpoint, text)) as pieces:
        async for piece in pieces:
            print(piece, end="", flush=True)
    print()
