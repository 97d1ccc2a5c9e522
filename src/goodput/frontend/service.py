"""What all requests of one app share."""

from __future__ import annotations

from dataclasses import dataclass

from goodput.core.clock import Clock
from goodput.core.config import LimitsConfig
from goodput.core.request import Generator
from goodput.frontend.gate import Gate
from goodput.frontend.grammars import GrammarDesk
from goodput.frontend.metrics import Metrics
from goodput.frontend.ports import FleetStatus, TextSide
from goodput.frontend.stalls import StallWatch


@dataclass(slots=True, frozen=True)
class Service:
    """``context_length`` in tokens; ``started`` in Unix seconds."""

    generator: Generator
    text: TextSide
    fleet: FleetStatus
    model_name: str
    context_length: int
    limits: LimitsConfig
    clock: Clock
    started: int
    gate: Gate
    metrics: Metrics
    grammars: GrammarDesk
    stalls: StallWatch
