"""Puts the frontend together: ``create_app`` is all that the rest of the package calls."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from goodput.core.clock import Clock, MonotonicClock
from goodput.core.config import LimitsConfig
from goodput.core.errors import GoodputError
from goodput.core.request import Generator, Grammar
from goodput.frontend.endpoint import CHAT, COMPLETION, GenerationEndpoint
from goodput.frontend.failures import RouteError, error_body, error_headers
from goodput.frontend.gate import Gate
from goodput.frontend.grammars import GrammarDesk
from goodput.frontend.metrics import Metrics
from goodput.frontend.ports import FleetStatus, TextSide
from goodput.frontend.probes import Probes
from goodput.frontend.service import Service
from goodput.frontend.stalls import StallWatch
from goodput.models.grammar_check import complaint

_STALL_TIMEOUT_S: Final = 60.0


class _App(Starlette):
    """Hands generation requests to their endpoints directly.

    Those answer every failure themselves; Starlette's layers around a route would add three more
    coroutines to each token's write.
    """

    def __init__(self, endpoints: Mapping[str, ASGIApp], routes: Sequence[Route]) -> None:
        handlers = {GoodputError: _on_error, HTTPException: _on_no_route}
        super().__init__(routes=routes, exception_handlers=handlers)
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope.get("path", ""))
        if endpoint is not None and scope.get("method") == "POST":
            await endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    generator: Generator,
    text: TextSide,
    *,
    model_name: str,
    context_length: int,
    limits: LimitsConfig,
    fleet_status: FleetStatus,
    clock: Clock | None = None,
    judge_grammar: Callable[[Grammar], str | None] | None = complaint,
) -> Starlette:
    """An ASGI app that serves ``model_name`` over OpenAI's API.

    ``context_length`` in tokens; the clock must be the one of the workers (all stamps of a
    request are on it). ``app.state.gate`` drains: ``start_draining()`` refuses new requests,
    ``await wait_idle()`` returns when those inside are answered. ``app.state.service`` has the
    rest. ``judge_grammar`` says what is wrong with a grammar; None: the generator follows none. The
    app owns neither the generator nor the fleet and closes none of them.
    """
    gate = Gate(limits.max_pending)
    service = Service(
        generator=generator,
        text=text,
        fleet=fleet_status,
        model_name=model_name,
        context_length=context_length,
        limits=limits,
        clock=clock or MonotonicClock(),
        started=int(time.time()),
        gate=gate,
        metrics=Metrics(gate, fleet_status),
        grammars=GrammarDesk(judge_grammar),
        stalls=StallWatch(_STALL_TIMEOUT_S),
    )
    probes = Probes(service)
    endpoints: dict[str, ASGIApp] = {
        "/v1/chat/completions": GenerationEndpoint(service, CHAT),
        "/v1/completions": GenerationEndpoint(service, COMPLETION),
    }
    app = _App(
        endpoints,
        routes=[
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in endpoints.items()),
            Route("/v1/models", probes.models),
            Route("/v1/models/{name:path}", probes.model),
            Route("/health", probes.health),
            Route("/ready", probes.ready),
            Route("/live", probes.live),
            Route("/metrics", probes.metrics),
        ],
    )
    app.state.gate = gate
    app.state.service = service
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GoodputError)
    return _respond(error)


async def _on_no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path, method = request.url.path[:200], request.method
    if error.status_code == 405:
        message = f"{path} does not take {method}."
    elif error.status_code == 404:
        message = f"There is no {path} here."
    else:
        message = str(error.detail)
    response = _respond(RouteError(message, error.status_code))
    response.headers.update(error.headers or {})
    return response


def _respond(error: GoodputError) -> Response:
    response = Response(error_body(error), error.http_status, media_type="application/json")
    response.headers["x-request-id"] = f"req-{uuid.uuid4().hex}"
    for name, value in error_headers(error):
        response.headers[name.decode()] = value.decode()
    return response
