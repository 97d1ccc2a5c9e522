"""``POST`` endpoints: from the socket's bytes to the answer's, for both shapes of OpenAI."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.types import Receive, Scope, Send

from goodput.core.errors import GoodputError, ModelNotFoundError
from goodput.frontend.answering import Answer, StreamedAnswer, WholeAnswer
from goodput.frontend.bodies import ChatBody, CommonBody, CompletionBody
from goodput.frontend.choice import Choice
from goodput.frontend.failures import unexpected
from goodput.frontend.fields import parse_json, read_fields
from goodput.frontend.job import Job, build_job
from goodput.frontend.ports import TextSide
from goodput.frontend.prompts import chat_prompts, completion_prompts
from goodput.frontend.reading import CancelOnDisconnect, ClientGone, read_body
from goodput.frontend.running import run_choices
from goodput.frontend.service import Service
from goodput.frontend.shapes import ChatShape, CompletionShape, Shape
from goodput.frontend.tenants import tenant_of

_LOG = logging.getLogger("goodput.frontend")
_CLIENT_GONE_STATUS = 499

B = TypeVar("B", bound=CommonBody)


@dataclass(slots=True, frozen=True)
class Dialect(Generic[B]):
    """One of OpenAI's two generation endpoints."""

    name: str
    id_prefix: str
    body: type[B]
    prompts: Callable[[B, TextSide], Awaitable[list[list[int]]]]
    shape: type[Shape]


CHAT = Dialect("chat.completions", "chatcmpl-", ChatBody, chat_prompts, ChatShape)
COMPLETION = Dialect("completions", "cmpl-", CompletionBody, completion_prompts, CompletionShape)


class GenerationEndpoint(Generic[B]):
    """An ASGI app for one route. It answers every failure itself, in OpenAI's shape."""

    def __init__(self, service: Service, dialect: Dialect[B]) -> None:
        self._service = service
        self._dialect: Dialect[B] = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        received = service.clock.now()
        request_id = f"{self._dialect.id_prefix}{uuid.uuid4().hex}"
        answer = Answer(request_id, send, service.stalls)
        status = 200
        body: B | None = None
        met: bool | None = None
        try:
            raw = await read_body(scope, receive, service.limits.max_body_bytes)
            async with CancelOnDisconnect(receive) as guard:
                body = self._read(raw)
                service.gate.check()  # before the prompt is tokenized, which costs time
                job = await self._job(body, request_id, received, tenant_of(scope, body.user))
                with service.gate.enter(len(job.requests)):
                    answer = self._answer(job, send)
                    met = await self._generate(job, answer, guard)
        except ClientGone:
            status = _CLIENT_GONE_STATUS
        except GoodputError as error:
            status = error.http_status
            await answer.fail(error)
        except Exception as error:
            _LOG.exception("request %s failed", request_id)
            status = 500
            await answer.fail(unexpected(error))
        finally:
            service.metrics.request_ended(self._dialect.name, status)
            if body is not None and body.slo is not None and _counts(status):
                service.metrics.slo_judged(bool(met))

    def _read(self, raw: bytes) -> B:
        body = read_fields(parse_json(raw), self._dialect.body)
        if body.model != self._service.model_name:
            raise ModelNotFoundError(
                f"The model '{body.model[:200]}' is not served here; this server has "
                f"'{self._service.model_name}'."
            )
        return body

    async def _job(self, body: B, request_id: str, received: float, tenant: str) -> Job:
        service = self._service
        grammar = await service.grammars.read(body)
        return build_job(
            body,
            await self._dialect.prompts(body, service.text),
            grammar=grammar,
            request_id=request_id,
            received=received,
            tenant=tenant,
            tokenizer=service.text.tokenizer,
            context_length=service.context_length,
            limits=service.limits,
        )

    def _answer(self, job: Job, send: Send) -> StreamedAnswer | WholeAnswer:
        shape = self._dialect.shape(
            request_id=job.id,
            model=self._service.model_name,
            created=int(time.time()),
            tokenizer=self._service.text.tokenizer,
            logprobs=job.requests[0].sampling.logprobs is not None,
            include_usage=job.include_usage,
        )
        kind = StreamedAnswer if job.stream else WholeAnswer
        return kind(job, shape, send, self._service)

    async def _generate(
        self, job: Job, answer: StreamedAnswer | WholeAnswer, guard: CancelOnDisconnect
    ) -> bool | None:
        """Run the job to its end; returns whether the SLO was met (None without one)."""
        service = self._service
        choices = [Choice(request, service.text.tokenizer, job.stops) for request in job.requests]
        try:
            await run_choices(service, choices, answer.on_pieces)
        finally:
            service.metrics.generated(sum(choice.tokens for choice in choices))
        report = await answer.finish(choices, guard)
        service.metrics.completed(report)
        return report.slo_met


def _counts(status: int) -> bool:
    """Whether a request with this end was scheduled work: a malformed one never was."""
    return status in (200, 429, _CLIENT_GONE_STATUS) or status >= 500
