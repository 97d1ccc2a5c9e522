"""One call to a model: what goes out, what comes back, and which failures are tried again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from goodput.arena.players.base import Charge
from goodput.arena.players.prompt import Message
from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.dialect import Dialect
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.workloads.base import PlannedRequest
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO

_NO_CONNECTION: Final = (0.25, 0.5, 1.0)
"""Seconds before each further attempt at a server that cannot be reached."""
_BUSY_S: Final = 1.0
"""Seconds before the next attempt at a busy server that does not say when."""
_LEAST_S: Final = 0.05
"""Seconds before it at the least, also where the server says "at once"."""
_REFUSED: Final = (400, 422)


class Reply(msgspec.Struct, kw_only=True):
    """What became of a call. ``error`` None is a whole answer in ``text``; ``refused``: the server
    does not take a field; ``timed_out``: the time ran out. Calls and tokens count every attempt."""

    text: str = ""
    error: str | None = None
    refused: bool = False
    timed_out: bool = False
    ttft_s: float | None = None
    calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0

    def charge(self, part: str) -> Charge:
        """The call on the bill of the decision's ``part``."""
        return Charge(part, self.calls, self.prompt_tokens, self.output_tokens)


class Caller:
    """Asks one model at one endpoint. The dialect, which is learned, is this object's own."""

    def __init__(
        self, endpoint: Endpoint, model: str, *, temperature: float, slo: SLO | None
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._temperature = temperature
        self._slo = slo or SLO()
        self._dialect = Dialect(slo=slo is not None, ignore_eos=False)

    async def ask(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        deadline: float,
        extra: Mapping[str, Any] | None = None,
        *,
        adapt: bool = False,
    ) -> Reply:
        """Stream one answer; never raises for what the server or the network does.

        ``deadline`` is on the monotonic clock. A busy server (429, 503) is asked again when it said
        it may, as long as time lasts; one that cannot be reached, a few times. With ``adapt``,
        optional fields that a server refuses are left out from then on. ``extra`` are more fields.
        """
        reply = Reply()
        waits = iter(_NO_CONNECTION)
        while (left := deadline - time.monotonic()) > 0:
            record = await self._attempt(reply, messages, max_tokens, left, extra or {})
            if record.status == "ok":
                return reply
            if record.status == "timeout":
                break
            if record.status == "rejected":
                said = record.retry_after_s
                wait = _BUSY_S if said is None else max(said, _LEAST_S)
            elif record.http_status is None and not record.token_times:
                if (wait := next(waits, -1.0)) < 0:
                    return reply
            elif adapt and reply.refused and self._dialect.give_up_one(record.error or ""):
                wait = 0.0
            else:
                return reply
            await asyncio.sleep(max(0.0, min(wait, deadline - time.monotonic())))
        reply.timed_out = True
        reply.error = reply.error or "no time was left to ask"
        return reply

    async def _attempt(
        self,
        reply: Reply,
        messages: Sequence[Message],
        max_tokens: int,
        left: float,
        extra: Mapping[str, Any],
    ) -> RequestRecord:
        said: list[str] = []
        record = RequestRecord(id="move", workload="arena", scheduled=time.monotonic())
        client = BenchClient(self._endpoint, time.monotonic, left, path=self._dialect.path)
        await client.send(record, self._body(messages, max_tokens, extra), said)
        reply.calls += 1
        reply.prompt_tokens += record.prompt_tokens
        reply.output_tokens += record.output_tokens
        reply.text = "".join(said)
        reply.error = _sentence(record)
        reply.refused = record.http_status in _REFUSED
        reply.ttft_s = record.ttft_from_sent
        return record

    def _body(
        self, messages: Sequence[Message], max_tokens: int, extra: Mapping[str, Any]
    ) -> bytes:
        plan = PlannedRequest(messages=(), max_tokens=max_tokens, slo=self._slo)
        fields = msgspec.json.decode(self._dialect.body(self._model, plan))
        fields["messages"] = messages
        if self._dialect.temperature:
            fields["temperature"] = self._temperature
        return msgspec.json.encode(fields | dict(extra))


def _sentence(record: RequestRecord) -> str | None:
    """What went wrong on one line, with the HTTP status where the server does not name it."""
    if record.error is None:
        return None
    words = " ".join(record.error.split()) or "the server failed without a word"
    status = record.http_status
    return words if status in (None, 200) or str(status) in words else f"HTTP {status}: {words}"
