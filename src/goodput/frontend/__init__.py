"""The HTTP face: OpenAI's API over a ``Generator``, with health, metrics and latency promises."""

from goodput.frontend.app import create_app
from goodput.frontend.ports import FleetStatus, TextSide, Tokenizer, WorkerStatus

__all__ = ["FleetStatus", "TextSide", "Tokenizer", "WorkerStatus", "create_app"]
