"""The routes that generate nothing: models, health and metrics."""

from __future__ import annotations

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response

from goodput.core.errors import ModelNotFoundError
from goodput.frontend.service import Service


class Probes:
    """Handlers over one service; none of them waits for a worker."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``"""
        return _json({"object": "list", "data": [self._model()]})

    async def model(self, request: Request) -> Response:
        """``GET /v1/models/{id}``"""
        name = request.path_params["name"]
        if name != self._service.model_name:
            raise ModelNotFoundError(f"The model '{name[:200]}' is not served here.")
        return _json(self._model())

    async def live(self, request: Request) -> Response:
        """``GET /live``: the process answers."""
        return _json({"status": "live"})

    async def ready(self, request: Request) -> Response:
        """``GET /ready``: 200 when new requests should be sent here, else 503."""
        status = self._status()
        return _json({"status": status}, 200 if status == "ready" else 503)

    async def health(self, request: Request) -> Response:
        """``GET /health``: 200 when a request sent now would be worked on, else 503."""
        service = self._service
        status = self._status()
        workers = [msgspec.structs.asdict(worker) for worker in service.fleet.workers()]
        return _json(
            {
                "status": status,
                "model": service.model_name,
                "sequences_in_flight": service.gate.pending,
                "workers": workers,
            },
            200 if status == "ready" else 503,
        )

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``: Prometheus' text format."""
        return Response(
            self._service.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def _status(self) -> str:
        if self._service.gate.draining:
            return "draining"
        return "ready" if self._service.fleet.ready() else "starting"

    def _model(self) -> dict[str, object]:
        return {
            "id": self._service.model_name,
            "object": "model",
            "created": self._service.started,
            "owned_by": "goodput",
            "max_model_len": self._service.context_length,  # vLLM's name for it
        }


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
