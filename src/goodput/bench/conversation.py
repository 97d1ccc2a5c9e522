"""A conversation in the terminal, over the load generator's client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec

from goodput.bench.wire.address import reason_of
from goodput.bench.wire.answer import Answer, BrokenAnswerError
from goodput.bench.wire.chunks import Chunk, error_message
from goodput.bench.wire.dialect import first_model, refusal
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.wire.reception import read_event
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
        try:
            async with aclosing(_chunks(endpoint, body)) as chunks:
                async for chunk in chunks:
                    if chunk.error is not None:
                        raise UsageError(endpoint.redact(error_message(chunk.error)))
                    answer += chunk.text
                    if chunk.text:
                        yield chunk.text
        except BrokenAnswerError as error:
            raise UsageError(f"the answer broke off: {reason_of(error)}") from None
        finally:
            if answer:
                self.turns += [Message("user", text), Message("assistant", answer)]


async def _chunks(endpoint: Endpoint, body: bytes) -> AsyncGenerator[Chunk, None]:
    """The chunks of a chat's answer as they come, until its end."""
    arrived: asyncio.Queue[list[bytes] | None] = asyncio.Queue()

    def take(events: list[bytes]) -> bool:
        arrived.put_nowait(events)
        return False

    exchange = asyncio.create_task(endpoint.post("/chat/completions", body, Answer(take)))
    exchange.add_done_callback(lambda _: arrived.put_nowait(None))
    try:
        while (events := await arrived.get()) is not None:
            for event in events:
                if (chunk := read_event(event)) is None:
                    return
                yield chunk
        answer = await exchange
        if answer.status != 200:
            raise refusal(endpoint, answer)
    except OSError as error:
        raise UsageError(f"cannot reach {endpoint.url}: {reason_of(error)}") from None
    finally:
        exchange.cancel()
        await asyncio.gather(exchange, return_exceptions=True)


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
