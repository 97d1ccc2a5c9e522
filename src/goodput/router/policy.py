"""What a routing policy sees and decides. A new policy is one file with this protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from goodput.core.config import Role
from goodput.workers.messages import StepCost, WorkerLoad

_EWMA_WEIGHT: Final = 0.2


@dataclass(slots=True)
class WorkerView:
    """What is known of one ready worker. Times in seconds.

    ``queued_tokens`` are uncached prompt tokens sent to it that have not given a first token yet;
    ``sequences`` are requests that it decodes or is about to. Both are the host's own counts, for
    a worker's report is always a step old.
    """

    name: str
    role: Role
    max_sequences: int
    token_budget: int
    load: WorkerLoad
    queued_tokens: int = 0
    sequences: int = 0
    seconds_per_prefill_token: float = 1e-3
    decode_step_s: float = 0.02
    _seen_prefill: bool = False
    _seen_decode: bool = False

    def observe(self, cost: StepCost) -> None:
        """Learn from a step: exponentially weighted means, started by the first observation.

        A mixed step's time is charged to its prompt tokens after what its decodes usually take.
        """
        if cost.prefill_tokens:
            decode = min(self.decode_step_s, cost.seconds / 2) if cost.decode_tokens else 0.0
            sample = (cost.seconds - decode) / cost.prefill_tokens
            weight = _EWMA_WEIGHT if self._seen_prefill else 1.0
            self.seconds_per_prefill_token += weight * (sample - self.seconds_per_prefill_token)
            self._seen_prefill = True
        elif cost.decode_tokens:
            weight = _EWMA_WEIGHT if self._seen_decode else 1.0
            self.decode_step_s += weight * (cost.seconds - self.decode_step_s)
            self._seen_decode = True


@dataclass(slots=True, frozen=True)
class Work:
    """A request to place: its tokens (prompt and what is generated already), the KV blocks that
    it may need in all, and the prompt tokens that each worker has cached (missing: none)."""

    tokens: int
    blocks: int
    cached_tokens: Mapping[str, int]

    def uncached(self, worker: str) -> int:
        """Tokens that ``worker`` would have to compute; at least one."""
        return max(1, self.tokens - self.cached_tokens.get(worker, 0))


@dataclass(slots=True, frozen=True)
class Placement:
    """Where to run: ``decode`` is None when the worker ``prefill`` also decodes (mixed).

    ``first_token_s`` is the predicted time to the first token.
    """

    prefill: str
    decode: str | None
    first_token_s: float


class RoutingPolicy(Protocol):
    """Pure decisions over views; keeps no reference to them."""

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        """The best placement among ready workers; None when no pair and no mixed one exists."""
        ...

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        """Another decode (or mixed) worker for a finished prompt whose planned one is gone."""
        ...


PolicyFactory = Callable[[], RoutingPolicy]
