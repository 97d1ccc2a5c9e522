"""What a routing policy sees and decides. A new policy is one file with this protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from goodput.core.config import Role
from goodput.core.speeds import Speeds
from goodput.workers.messages import WorkerLoad


@dataclass(slots=True, eq=False)
class WorkerView:
    """What is known of one ready worker. Times in seconds.

    ``queued_tokens`` are uncached prompt tokens sent to it that have not given a first token yet;
    ``sequences`` are requests that it decodes or is about to. Both are the host's own counts, for
    a worker's report is always a step old. ``chunk_tokens`` of a prompt go into a step that also
    decodes sequences without a promise.
    """

    name: str
    role: Role
    max_sequences: int
    chunk_tokens: int
    load: WorkerLoad
    queued_tokens: int = 0
    sequences: int = 0
    speeds: Speeds = field(default_factory=Speeds)

    @property
    def queue_s(self) -> float:
        """Seconds of prompts before a new one."""
        return self.queued_tokens * self.speeds.prefill_token_s


@dataclass(slots=True, frozen=True)
class Work:
    """A request to place.

    ``tokens`` are its prompt's and those generated already, ``blocks`` the KV blocks that it may
    need for the answer, ``cached_tokens`` what each worker has cached (missing: none). The first
    token is promised within ``first_token_s`` from now and the others every ``tpot_s`` seconds
    (None: no promise); at most ``answer_tokens`` are to come. Other requests wait ``token_wait_s``
    seconds, all together, for each of its tokens that is computed by a worker of prompts.
    ``block_size`` are the tokens of a KV block.
    """

    tokens: int
    blocks: int
    cached_tokens: Mapping[str, int]
    first_token_s: float | None = None
    tpot_s: float | None = None
    answer_tokens: int = 1
    token_wait_s: float = 0.0
    block_size: int = 16

    def uncached(self, worker: str) -> int:
        """Tokens that ``worker`` would have to compute; at least one."""
        return max(1, self.tokens - self.cached_tokens.get(worker, 0))


@dataclass(slots=True, frozen=True)
class Placement:
    """Where to run: ``decode`` is None when the worker ``prefill`` also decodes, whatever its role.

    ``first_token_s`` is the predicted time to the first token. ``split``: the worker ``prefill``
    computes only so many positions of the prompt (a multiple of the block size), and ``decode`` the
    rest; 0: all.
    """

    prefill: str
    decode: str | None
    first_token_s: float
    split: int = 0


class RoutingPolicy(Protocol):
    """Decisions over views; keeps no reference to them."""

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        """The best placement among ready workers; None when no pair and no mixed one exists."""
        ...

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        """Another decode (or mixed) worker for a finished prompt whose planned one is gone."""
        ...


PolicyFactory = Callable[[], RoutingPolicy]
