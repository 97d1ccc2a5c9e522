"""Which of the optional fields a server understands, found out before a run starts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Literal

import msgspec

from goodput.bench.wire.address import reason_of
from goodput.bench.wire.answer import Answer, BrokenAnswerError
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.workloads.base import Message, PlannedRequest
from goodput.core.errors import ModelNotFoundError, UsageError
from goodput.core.slo import SLO

_REFUSALS = (400, 422)

# Which of the API's two ways to generate is asked.
EndpointKind = Literal["chat", "completions"]


class Dialect(msgspec.Struct, kw_only=True):
    """The fields beyond the common ones that requests of this run have; ``slo`` is Goodput's own:
    what the request was promised, in milliseconds."""

    endpoint: EndpointKind = "chat"
    slo: bool = True
    ignore_eos: bool = True
    include_usage: bool = True
    temperature: bool = True
    max_completion_tokens: bool = False

    @property
    def path(self) -> str:
        """Where requests go, after the server's ``/v1``."""
        return "/chat/completions" if self.endpoint == "chat" else "/completions"

    def body(self, model: str, request: PlannedRequest) -> bytes:
        """The JSON of one streamed answer; a plain completion gets all messages as one text."""
        fields: dict[str, Any] = {"model": model, "stream": True}
        if self.endpoint == "chat":
            fields["messages"] = request.messages
        else:
            fields["prompt"] = "\n\n".join(message.content for message in request.messages)
        limit = "max_completion_tokens" if self.max_completion_tokens else "max_tokens"
        fields[limit] = request.max_tokens
        if self.temperature:
            fields["temperature"] = 0
        if self.slo and (bounds := _milliseconds(request.slo)):
            fields["slo"] = bounds
        if self.ignore_eos:
            fields["ignore_eos"] = True
        if self.include_usage:
            fields["stream_options"] = {"include_usage": True}
        return msgspec.json.encode(fields)

    def give_up_one(self, complaint: str) -> bool:
        """Drop the field that the server's complaint names, else the rarest one still there.

        False when nothing is left to drop: the request is refused for another reason.
        """
        if "max_completion_tokens" in complaint and not self.max_completion_tokens:
            self.max_completion_tokens = True
        elif ("stream_options" in complaint or "include_usage" in complaint) and self.include_usage:
            self.include_usage = False
        elif "temperature" in complaint and self.temperature:
            self.temperature = False
        elif "ignore_eos" in complaint and self.ignore_eos:
            self.ignore_eos = False
        elif self.slo:
            self.slo = False
        elif self.ignore_eos:
            self.ignore_eos = False
        elif self.include_usage:
            self.include_usage = False
        else:
            return False
        return True


def _milliseconds(slo: SLO) -> dict[str, float]:
    """The bounds that there are, by the names of Goodput's extension."""
    bounds = {"ttft_ms": slo.ttft, "tpot_ms": slo.tpot, "e2e_ms": slo.e2e}
    return {name: bound * 1e3 for name, bound in bounds.items() if bound is not None}


async def first_model(endpoint: Endpoint, timeout_s: float = 30.0) -> str:
    """The first name that ``/v1/models`` lists; raises UsageError when it lists none."""
    answer = await _reach(
        endpoint, endpoint.get("/models"), "the question for its models", timeout_s
    )
    if answer.status != 200:
        raise refusal(endpoint, answer)
    try:
        listing = msgspec.json.decode(answer.body, type=_Models)
    except msgspec.DecodeError:
        listing = _Models()
    if not listing.data:
        raise UsageError(f"{endpoint.url}/models lists no model: name one with --model")
    return listing.data[0].id


async def find_dialect(
    endpoint: Endpoint, model: str, timeout_s: float = 120.0, kind: EndpointKind = "chat"
) -> Dialect:
    """Ask for one token until the server accepts the fields; raises UsageError when it never does.

    The answers are read and thrown away: nothing of the probe is measured.
    """
    dialect = Dialect(endpoint=kind)
    probe = PlannedRequest(
        messages=(Message("user", "Say hello."),), max_tokens=1, slo=SLO(e2e=timeout_s)
    )
    while True:
        request = endpoint.post(dialect.path, dialect.body(model, probe))
        answer = await _reach(endpoint, request, "a one-token request", timeout_s)
        if answer.status == 200:
            return dialect
        if answer.status not in _REFUSALS:
            raise refusal(endpoint, answer)
        complaint = endpoint.complaint(answer)
        if not dialect.give_up_one(complaint):
            raise UsageError(f"{endpoint.url} refuses the plainest request: {complaint}")


async def _reach(
    endpoint: Endpoint, exchange: Awaitable[Answer], what: str, timeout_s: float
) -> Answer:
    """Await an answer; raises UsageError in words when there is none."""
    deadline = asyncio.timeout(timeout_s)
    try:
        async with deadline:
            return await exchange
    except BrokenAnswerError as error:
        raise UsageError(f"{endpoint.url} broke off: {error}") from None
    except OSError as error:
        if deadline.expired():
            words = f"{endpoint.url} did not answer {what} within {timeout_s:g} s"
        else:
            words = f"cannot reach {endpoint.url}: {reason_of(error)}"
        raise UsageError(words) from None


def refusal(endpoint: Endpoint, answer: Answer) -> UsageError | ModelNotFoundError:
    """What to tell a user whose request the server did not accept."""
    complaint = endpoint.complaint(answer)
    if answer.status in (401, 403):
        return UsageError(f"{endpoint.url} does not accept the API key: {complaint}")
    if answer.status == 404 and "model" in complaint.lower():
        return ModelNotFoundError(f"{endpoint.url} answers: {complaint}")
    return UsageError(f"{endpoint.url} answers HTTP {answer.status}: {complaint}")


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] = []
