"""One HTTP response as it comes in: events of a stream to their taker, any other body kept."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from goodput.bench.wire.chunks import body_message
from goodput.bench.wire.sse import EventTooLargeError, SSEParser

# Called with the events of one read; True when the rest of the stream is of no interest.
Take = Callable[[list[bytes]], bool]

_MAX_BODY_BYTES = 1_048_576
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


class BrokenAnswerError(Exception):
    """What the server sends is not the answer that it should be; the message says how."""


class Answer:
    """What a connection fills in. ``finished`` is done when all that matters has been read, or
    raises what prevented it: BrokenAnswerError, or whatever ``take`` raised.

    With ``take``, the body of a 200 event stream goes there event by event; other bodies are kept
    in ``body`` up to ``max_bytes``.
    """

    def __init__(self, take: Take | None = None, max_bytes: int = _MAX_BODY_BYTES) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take = take
        self._max_bytes = max_bytes
        self._feed: Callable[[bytes], list[bytes]] | None = None

    @property
    def content_type(self) -> str:
        """``text/event-stream`` and the like; empty when the server does not say."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after_s(self) -> float | None:
        """Seconds from now that ``Retry-After`` asks for, as a number or a date."""
        header = self.headers.get("retry-after", "").strip()
        try:
            return max(0.0, float(header))
        except ValueError:
            pass
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        return max(0.0, (date - datetime.now(date.tzinfo and UTC)).total_seconds())

    def complaint(self) -> str:
        """What the server says in a body that is no answer, in one line."""
        body = bytes(self.body)
        if self.content_type == "text/html" and (title := _TITLE.search(body)):
            return " ".join(html.unescape(title[1].decode("utf-8", "replace")).split())
        return body_message(body) or f"HTTP {self.status} without a word"

    def begin(self, status: int, headers: dict[str, str]) -> None:
        """The head has been read; names of ``headers`` are in lower case."""
        self.status, self.headers = status, headers
        # We ask for identity: undoing a compression would blur when a token came.
        if (coding := headers.get("content-encoding", "identity")) != "identity":
            self.fail(BrokenAnswerError(f"the answer is compressed ({coding})"))
        elif self._take is not None and status == 200 and self.content_type == "text/event-stream":
            self._feed = SSEParser().feed

    def receive(self, data: bytes) -> None:
        """A piece of the body has been read."""
        if self.finished.done():
            return
        if self._feed is None:
            self.body += data[: self._max_bytes - len(self.body)]
            return
        assert self._take is not None
        try:
            events = self._feed(data)
            if events and self._take(events):
                self.complete()
        except EventTooLargeError as error:
            self.fail(BrokenAnswerError(str(error)))
        # An error in the taker belongs to whoever waits, not into the event loop's log.
        except Exception as error:
            self.fail(error)

    def complete(self) -> None:
        """Nothing more is expected."""
        if not self.finished.done():
            self.finished.set_result(None)

    def fail(self, error: Exception) -> None:
        """Nothing more will come, or nothing that makes sense."""
        if not self.finished.done():
            self.finished.set_exception(error)
