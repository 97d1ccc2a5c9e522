"""One request on its way through the fleet, as the coordinator sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from goodput.control.registry import WorkerSlot
from goodput.core.errors import GoodputError
from goodput.core.request import GenerationRequest, TokenDelta
from goodput.core.timeline import Timeline
from goodput.router.policy import WorkerView
from goodput.workers.messages import HandoffNotice


class Stage(Enum):
    """Where a job is. Only PARKED and ORPHANED have no worker that will act by itself."""

    QUEUED = "queued"  # waits at the router for its turn
    PARKED = "parked"  # no ready worker can take it
    PREFILL = "prefill"  # submitted to a prefill worker, or to a mixed one for good
    ORPHANED = "orphaned"  # the prompt is computed and leased, but no decode worker is ready
    OFFERED = "offered"  # sent to a decode worker, not acknowledged
    DECODE = "decode"  # a decode worker has it
    DONE = "done"


class Inbox(Protocol):
    """Where a client reads from: an asyncio.Queue, or what a simulation notes down."""

    def put_nowait(self, item: TokenDelta | GoodputError, /) -> None: ...


@dataclass(slots=True, eq=False)
class Job:
    """Mutable state of one request; owned by the coordinator from admission to DONE.

    ``slot`` is the worker whose death would lose the attempt. ``sent`` are the tokens that the
    client has, or will read from ``inbox``: a retry goes on after them. ``deadline`` (monotonic
    seconds) bounds PARKED and ORPHANED.
    """

    request: GenerationRequest
    inbox: Inbox = field(default_factory=lambda: asyncio.Queue[TokenDelta | GoodputError]())
    stage: Stage = Stage.PARKED
    attempts: int = 0
    attempt_id: str = ""
    slot: WorkerSlot | None = None
    planned: WorkerSlot | None = None
    notice: HandoffNotice | None = None
    deadline: float = 0.0
    sent: list[int] = field(default_factory=list)
    stamps: Timeline = field(default_factory=lambda: Timeline(received=0.0))
    _queued: list[tuple[WorkerView, int]] = field(default_factory=list)
    _counted: WorkerView | None = None

    @property
    def attempt_tokens(self) -> int:
        """Prompt and sent tokens: what the next attempt has to compute."""
        return len(self.request.prompt) + len(self.sent)

    def charge(self, prompts: Iterable[tuple[WorkerView, int]], decode: WorkerView) -> None:
        """Count this job in the views that the router decides on; replaces an earlier charge.

        ``prompts`` are the tokens of the prompt that each worker is to compute.
        """
        self.uncharge()
        for view, tokens in prompts:
            view.queued_tokens += tokens
            self._queued.append((view, tokens))
        decode.sequences += 1
        self._counted = decode

    def uncharge_prefill(self) -> None:
        """Its prompt is not queued any more."""
        for view, tokens in self._queued:
            view.queued_tokens -= tokens
        self._queued.clear()

    def uncharge(self) -> None:
        """It burdens no worker any more."""
        self.uncharge_prefill()
        if self._counted is not None:
            self._counted.sequences -= 1
            self._counted = None

    def merge_stamps(self, timeline: Timeline) -> None:
        """Keep the earliest of each stamp up to the first token.

        A retry's second prefill thus counts as transfer, not as a first token that came later
        than the one the client saw.
        """
        for name in ("prefill_started", "first_token"):
            if getattr(self.stamps, name) is None:
                setattr(self.stamps, name, getattr(timeline, name))

    def final_timeline(self, timeline: Timeline) -> Timeline:
        """The last worker's stamps with the coordinator's own."""
        self.merge_stamps(timeline)
        for name in ("submitted", "prefill_started", "first_token", "offered", "accepted"):
            setattr(timeline, name, getattr(self.stamps, name))
        return timeline
