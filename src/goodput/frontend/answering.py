"""Sends one request's answer: as a whole, as a stream of events, or as an error."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from starlette.types import Message, Send

from goodput.core.errors import GoodputError
from goodput.frontend.choice import Choice, Piece, TokenMark
from goodput.frontend.failures import error_body, error_event, error_headers
from goodput.frontend.job import Job
from goodput.frontend.reading import CancelOnDisconnect, ClientGone
from goodput.frontend.report import Report, make_report
from goodput.frontend.service import Service
from goodput.frontend.shapes import DONE, FinishedChoice, Shape
from goodput.frontend.stalls import StallWatch

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Answer:
    """A response that has not begun; before the first token any status is still possible."""

    def __init__(self, request_id: str, send: Send, stalls: StallWatch) -> None:
        self._request_id = request_id
        self._send = send
        self._stalls = stalls

    async def fail(self, error: GoodputError) -> None:
        """Send the error, in whatever way the response's state still allows; never raises."""
        with contextlib.suppress(ClientGone):
            await self._tell(error)

    async def _tell(self, error: GoodputError) -> None:
        await self._respond(error.http_status, error_body(error), error_headers(error))

    async def _respond(
        self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        await self._start(
            status,
            [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        )
        await self._write({"type": "http.response.body", "body": body})

    async def _start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        await self._write(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, (b"x-request-id", self._request_id.encode())],
            }
        )

    async def _write(self, message: Message) -> None:
        """Send; a client that reads nothing for too long holds its place no longer."""
        await self._stalls.write(self._send(message))


class WholeAnswer(Answer):
    """One JSON object, when all choices are complete."""

    def __init__(self, job: Job, shape: Shape, send: Send, service: Service) -> None:
        super().__init__(job.id, send, service.stalls)
        self._job = job
        self._shape = shape
        self._clock = service.clock
        self._texts: list[list[str]] = [[] for _ in job.requests]
        self._marks: list[list[TokenMark]] = [[] for _ in job.requests]

    async def on_pieces(self, index: int, choice: Choice, pieces: list[Piece]) -> None:
        """Keep the pieces."""
        for piece in pieces:
            self._texts[index].append(piece.text)
            self._marks[index].extend(piece.marks)

    async def finish(self, choices: Sequence[Choice], guard: CancelOnDisconnect) -> Report:
        """Send everything; returns what was reported."""
        report = make_report(self._job, choices, self._clock.now())
        body = self._shape.whole(
            [
                FinishedChoice("".join(texts), marks, choice.finish_reason or "stop")
                for texts, marks, choice in zip(self._texts, self._marks, choices, strict=True)
            ],
            report.usage(),
            report.goodput(),
        )
        guard.completed()
        await self._respond(200, body)
        return report


class StreamedAnswer(Answer):
    """Server-sent events, one per token that shows text; begins with the first delta."""

    def __init__(self, job: Job, shape: Shape, send: Send, service: Service) -> None:
        super().__init__(job.id, send, service.stalls)
        self._job = job
        self._shape = shape
        self._clock = service.clock
        self._begun = False
        self._opened = [False] * len(job.requests)
        self._unfinished = len(job.requests)
        self._last = 0

    async def _tell(self, error: GoodputError) -> None:
        """After the first byte the status is gone: an event tells, and no [DONE] follows."""
        if not self._begun:
            await super()._tell(error)
            return
        await self._write({"type": "http.response.body", "body": error_event(error)})

    async def on_pieces(self, index: int, choice: Choice, pieces: list[Piece]) -> None:
        """Send one event per piece, and the closing event of every choice but the last."""
        if not self._begun:
            self._begun = True
            await self._start(200, _STREAM_HEADERS)
        shape = self._shape
        events = [shape.chunk(index, piece) for piece in pieces]
        if not self._opened[index]:
            self._opened[index] = True
            events.insert(0, shape.opening(index))
        if choice.finish_reason is not None:
            self._unfinished -= 1
            if self._unfinished:
                events.append(shape.closing(index, choice.finish_reason, None))
            else:
                self._last = index
        body = b"".join(events)
        if body:
            await self._write({"type": "http.response.body", "body": body, "more_body": True})

    async def finish(self, choices: Sequence[Choice], guard: CancelOnDisconnect) -> Report:
        """Send the last closing event with the timings and counts; returns what was reported."""
        report = make_report(self._job, choices, self._clock.now())
        reason = choices[self._last].finish_reason or "stop"
        if self._job.include_usage:
            body = self._shape.closing(self._last, reason, None)
            body += self._shape.usage(report.usage(), report.goodput())
        else:
            body = self._shape.closing(self._last, reason, report.goodput())
        guard.completed()
        await self._write({"type": "http.response.body", "body": body + DONE})
        return report
