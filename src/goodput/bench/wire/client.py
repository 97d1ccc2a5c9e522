"""Sends requests to one endpoint and fills their records while the answers stream in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from goodput.bench.wire.address import reason_of
from goodput.bench.wire.answer import Answer, BrokenAnswerError
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.wire.reception import Reception
from goodput.core.record import RequestRecord, Status

_REJECTIONS = (429, 503)

CountTokens = Callable[[str], int]


class BenchClient:
    """Sends prepared bodies to ``path`` of one endpoint. ``now`` gives seconds on the run's clock.

    ``count_tokens`` counts the tokens of a text as the model's own tokenizer does; it is used by
    :meth:`count` for answers whose server reported none.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        now: Callable[[], float],
        timeout_s: float,
        *,
        path: str = "/chat/completions",
        count_tokens: CountTokens | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._now = now
        self._timeout_s = timeout_s
        self._path = path
        self._count_tokens = count_tokens
        self._uncounted: list[tuple[RequestRecord, list[str | None]]] = []

    async def send(self, record: RequestRecord, body: bytes, said: list[str] | None = None) -> None:
        """Send ``body`` and fill ``record``; never raises for what the server or network does.

        ``sent`` is stamped as the request is handed to the connection, so that connecting to a
        busy server counts as the server's time. Cancelling leaves the record ``cut_off``. The
        pieces of the visible answer are added to ``said``, for a later turn to quote.
        """
        generated: list[str | None] | None = [] if self._count_tokens is not None else None
        reception = Reception(record, self._now, said, generated)
        answer = Answer(reception.take)
        record.sent = self._now()
        record.status = "cut_off"
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._endpoint.post(self._path, body, answer)
        except TimeoutError as error:
            # The system's own timeouts (of a connection) are errors that have a number.
            if error.errno is None:
                self._fail(record, f"no end of the answer within {self._timeout_s:g} s", "timeout")
            else:
                self._fail(record, reason_of(error))
        except (BrokenAnswerError, OSError) as error:
            self._fail(record, reason_of(error))
        else:
            self._judge(reception, answer)
        finally:
            record.http_status = answer.status or None
            if generated and record.token_source == "chunks":
                self._uncounted.append((record, generated))

    def count(self) -> None:
        """Count the tokens of answers whose server did not, once nothing is being measured."""
        for record, generated in self._uncounted:
            text = [piece for piece in generated if piece is not None]
            # Of tokens that are no text only the chunks are known.
            if len(text) == len(generated) and self._count_tokens is not None:
                record.output_tokens = self._count_tokens("".join(text))
                record.token_source = "tokenizer"
        self._uncounted.clear()

    def _judge(self, reception: Reception, answer: Answer) -> None:
        record = reception.record
        if answer.status in _REJECTIONS:
            record.retry_after_s = answer.retry_after_s
            self._fail(record, answer.complaint(), "rejected")
        elif answer.status != 200:
            self._fail(record, answer.complaint())
        elif answer.content_type != "text/event-stream":
            kind = answer.content_type or "of no stated type"
            self._fail(record, f"the answer is {kind}, not an event stream")
        elif (complaint := reception.verdict()) is not None:
            self._fail(record, complaint)
        else:
            record.end = self._now()
            record.status = "ok"

    def _fail(self, record: RequestRecord, reason: str, status: Status = "error") -> None:
        record.end = self._now()
        record.fail(status, self._endpoint.redact(reason))
