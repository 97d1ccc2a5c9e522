"""An HTTP/1.1 connection that gives every piece of an answer on the moment it was read.

A measuring client must be cheap: between the socket and the taker of events there is one C parser
and no task, queue or buffer. (A general client took half as much CPU time again for a token.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

import httptools

from goodput.bench.wire.answer import Answer, BrokenAnswerError


class Connection(asyncio.Protocol):
    """One request at a time. ``on_free`` is called whenever it could take the next, ``on_lost``
    once when it is gone."""

    def __init__(
        self, on_free: Callable[[Connection], None], on_lost: Callable[[Connection], None]
    ) -> None:
        self._on_free = on_free
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: dict[str, str] = {}
        self.free_since = 0.0

    @property
    def open(self) -> bool:
        """Whether a request can be written to it."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes, answer: Answer) -> None:
        """Write a whole request; ``answer`` is filled as its response comes in."""
        assert self._transport is not None and self._answer is None
        self._answer = answer
        self._headers = {}
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)

    def drop(self, answer: Answer) -> None:
        """Close, unless ``answer`` has been read to its end."""
        if self._answer is answer:
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls:

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._parser is None:
            # Nothing was asked: what a server says now is that it is about to close.
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._answer is not None:
                self._answer.fail(BrokenAnswerError(f"the answer is not HTTP/1.1: {error}"))
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._on_lost(self)
        answer, self._answer = self._answer, None
        if answer is None:
            return
        lasts_until_closed = answer.status and not (
            "content-length" in self._headers or "transfer-encoding" in self._headers
        )
        if error is None and lasts_until_closed:
            answer.complete()
        else:
            when = "in the middle of" if answer.status else "before"
            answer.fail(BrokenAnswerError(f"the server closed the connection {when} its answer"))

    # What httptools calls:

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        assert self._parser is not None and self._answer is not None
        status = self._parser.get_status_code()
        if status >= 200:
            self._answer.begin(status, self._headers)
        else:
            self._headers = {}

    def on_body(self, data: bytes) -> None:
        assert self._answer is not None
        self._answer.receive(data)

    def on_message_complete(self) -> None:
        assert self._parser is not None and self._answer is not None
        if self._parser.get_status_code() < 200:
            return
        answer, self._answer = self._answer, None
        answer.complete()
        if self._parser.should_keep_alive():
            self.free_since = time.monotonic()
            self._on_free(self)
        elif self._transport is not None:
            self._transport.close()
