"""What the scheduler hands to an executor and gets back.

Plain data, no tensors: the same plan is executed by a model, or by a latency model in simulation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from goodput.core.request import TokenLogprobs
from goodput.engine.sequence import Sequence


@dataclass(slots=True)
class Chunk:
    """Positions ``start .. start + count`` of one sequence, to be computed in this step.

    Their KV goes to ``sequence.blocks``, which already hold room for them. When ``samples`` is
    true the chunk reaches the last known token, so its logits give the next token.
    """

    sequence: Sequence
    start: int
    count: int
    samples: bool


@dataclass(slots=True)
class StepPlan:
    """One step's work, decided by the scheduler. Chunks of distinct sequences, in a fixed order."""

    chunks: list[Chunk] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Rows that the model computes in this step."""
        return sum(chunk.count for chunk in self.chunks)


@dataclass(slots=True, frozen=True)
class Sampled:
    """The next token of one chunk's sequence."""

    token: int
    logprobs: TokenLogprobs | None = None


class Executor(Protocol):
    """Computes a plan. Stateless between steps except for the KV pool that it writes."""

    def execute(self, plan: StepPlan) -> list[Sampled | None]:
        """One entry per chunk, None where ``samples`` is false. Blocks until done."""
        ...
