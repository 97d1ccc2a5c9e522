"""Which of the optional fields a server understands, found out before a run starts."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec

from goodput.bench.wire.endpoint import Endpoint, reason_of
from goodput.bench.workloads.base import Message, PlannedRequest
from goodput.core.errors import ModelNotFoundError, UsageError

_REFUSALS = (400, 422)


class Dialect(msgspec.Struct, kw_only=True):
    """The fields beyond the common ones that requests of this run have."""

    ignore_eos: bool = True
    include_usage: bool = True
    temperature: bool = True
    max_completion_tokens: bool = False

    def body(self, model: str, request: PlannedRequest) -> bytes:
        """The JSON of one streamed chat completion."""
        fields: dict[str, Any] = {"model": model, "messages": request.messages, "stream": True}
        limit = "max_completion_tokens" if self.max_completion_tokens else "max_tokens"
        fields[limit] = request.max_tokens
        if self.temperature:
            fields["temperature"] = 0
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
        elif self.ignore_eos:
            self.ignore_eos = False
        elif self.include_usage:
            self.include_usage = False
        else:
            return False
        return True


async def first_model(endpoint: Endpoint) -> str:
    """The first name that ``/v1/models`` lists; raises UsageError when it lists none."""
    async with await reach(endpoint, endpoint.get("/models")) as response:
        if response.status != 200:
            raise await refusal(endpoint, response)
        try:
            listing = msgspec.json.decode(await response.read(), type=_Models)
        except msgspec.DecodeError:
            listing = _Models()
    if not listing.data:
        raise UsageError(f"{endpoint.url}/models lists no model: name one with --model")
    return listing.data[0].id


async def find_dialect(endpoint: Endpoint, model: str, timeout_s: float = 120.0) -> Dialect:
    """Ask for one token until the server accepts the fields; raises UsageError when it never does.

    The answers are read and thrown away: nothing of the probe is measured.
    """
    dialect = Dialect()
    probe = PlannedRequest(messages=(Message("user", "Say hello."),), max_tokens=1)
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                complaint = await _try(endpoint, dialect.body(model, probe))
        except TimeoutError:
            raise UsageError(
                f"{endpoint.url} did not answer a one-token request within {timeout_s:g} s"
            ) from None
        if complaint is None:
            return dialect
        if not dialect.give_up_one(complaint):
            raise UsageError(f"{endpoint.url} refuses the plainest request: {complaint}")


async def _try(endpoint: Endpoint, body: bytes) -> str | None:
    async with await reach(endpoint, endpoint.post("/chat/completions", body)) as response:
        if response.status in _REFUSALS:
            return await endpoint.complaint(response)
        if response.status != 200:
            raise await refusal(endpoint, response)
        try:
            await response.read()
        except aiohttp.ClientError:
            raise UsageError(f"{endpoint.url} broke off its first answer") from None
    return None


async def reach(endpoint: Endpoint, request: Any) -> aiohttp.ClientResponse:
    """Await a request; raises UsageError in words when the server cannot be reached."""
    try:
        response: aiohttp.ClientResponse = await request
    except (aiohttp.ClientError, OSError) as error:
        raise UsageError(f"cannot reach {endpoint.url}: {reason_of(error)}") from None
    return response


async def refusal(
    endpoint: Endpoint, response: aiohttp.ClientResponse
) -> UsageError | ModelNotFoundError:
    complaint = await endpoint.complaint(response)
    if response.status in (401, 403):
        return UsageError(f"{endpoint.url} does not accept the API key: {complaint}")
    if response.status == 404 and "model" in complaint.lower():
        return ModelNotFoundError(f"{endpoint.url} answers: {complaint}")
    return UsageError(f"{endpoint.url} answers HTTP {response.status}: {complaint}")


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] = []
