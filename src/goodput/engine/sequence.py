"""The mutable state of one request inside one engine."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from enum import Enum

from goodput.core.request import FinishReason, GenerationRequest
from goodput.core.timeline import Timeline
from goodput.engine.drafter import Drafter
from goodput.kv.hashing import BlockHash


class SequenceStatus(Enum):
    """WAITING for admission, RUNNING in the batch, LEASED to a decode worker, or FINISHED."""

    WAITING = "waiting"
    RUNNING = "running"
    LEASED = "leased"
    FINISHED = "finished"


class Sequence:
    """Tokens, KV blocks and progress of one request. Owned and changed by the scheduler only.

    ``tokens`` is the prompt, then everything generated (``request.generated`` included).
    ``blocks[i]`` is the KV block of positions ``i * block_size ..``; the first ``num_computed``
    positions hold keys and values. The first ``num_leased`` blocks belong to another worker and
    are held by ``lease_id``; the others hold a reference in this worker's pool.
    """

    __slots__ = (
        "arrival",
        "blocks",
        "drafter",
        "finish_reason",
        "hashes",
        "keep",
        "lease_id",
        "num_cached",
        "num_computed",
        "num_leased",
        "num_prompt",
        "num_registered",
        "request",
        "status",
        "stop_token",
        "timeline",
        "tokens",
        "until",
        "was_admitted",
    )

    def __init__(self, request: GenerationRequest, timeline: Timeline, arrival: int) -> None:
        self.request = request
        self.timeline = timeline
        self.arrival = arrival
        self.tokens: list[int] = [*request.prompt, *request.generated]
        self.num_prompt = len(request.prompt)
        self.num_computed = 0
        self.num_cached = 0
        """Tokens whose keys and values were reused when it was first admitted."""
        self.was_admitted = False
        self.blocks: list[int] = []
        self.num_leased = 0
        self.lease_id: str | None = None
        self.hashes: list[BlockHash] = []
        """Of the leading full blocks of ``tokens``, as far as they were needed."""
        self.keep = False
        """Decoded here too, though the role says that it would be handed off."""
        self.until = 0
        """Handed off with so many positions computed, before it has a token; 0: after its first."""
        self.num_registered = 0
        """Leading blocks that were offered to the prefix cache."""
        self.status = SequenceStatus.WAITING
        self.finish_reason: FinishReason | None = None
        self.stop_token: int | None = None
        self.drafter: Drafter | None = None
        """Guesses what follows; made when the sequence first meets a step with slack."""

    def __repr__(self) -> str:
        return (
            f"Sequence({self.id!r}, {self.status.value}, {self.num_computed}/{len(self.tokens)} "
            f"computed, blocks={self.blocks})"
        )

    @property
    def id(self) -> str:
        """The request's id, unique among the engine's live sequences."""
        return self.request.id

    @property
    def generated(self) -> list[int]:
        """A copy of the generated tokens."""
        return self.tokens[self.num_prompt :]

    @property
    def num_generated(self) -> int:
        """How many tokens were generated, those of earlier attempts included."""
        return len(self.tokens) - self.num_prompt

    @property
    def remaining(self) -> int:
        """Known tokens still to be computed; 1 while it decodes."""
        return len(self.tokens) - self.num_computed

    @property
    def order(self) -> tuple[int, int]:
        """Who comes first: the lower ``priority`` number (as in vLLM), then the earlier arrival."""
        return (self.request.priority, self.arrival)


class SequenceQueue:
    """Sequences in the order of ``Sequence.order``. Finding one takes O(log n) comparisons."""

    def __init__(self) -> None:
        self._items: list[Sequence] = []

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self._items)

    def __getitem__(self, index: int) -> Sequence:
        return self._items[index]

    def add(self, sequence: Sequence) -> None:
        """Put it at its place."""
        insort(self._items, sequence, key=_order)

    def remove(self, sequence: Sequence) -> None:
        """Take it out; raises KeyError when it is not in the queue."""
        index = bisect_left(self._items, sequence.order, key=_order)
        if index == len(self._items) or self._items[index] is not sequence:
            raise KeyError(sequence.id)
        del self._items[index]


def _order(sequence: Sequence) -> tuple[int, int]:
    return sequence.order
