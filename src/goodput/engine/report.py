"""What an engine tells its worker. Plain data that may cross process boundaries."""

from __future__ import annotations

import msgspec

from goodput.core.request import TokenDelta
from goodput.core.speeds import StepCost
from goodput.core.timeline import Timeline


class Handoff(msgspec.Struct, omit_defaults=True):
    """A sequence that continues on a decode worker.

    ``blocks`` hold the KV of its first ``num_computed`` positions (the last block may be partly
    filled). They stay referenced at the sender until ``release_lease(lease_id)``. ``generated``
    has every token so far, the newest not computed yet; none where a prompt is split.
    """

    request_id: str
    lease_id: str
    blocks: list[int]
    num_computed: int
    generated: list[int]
    timeline: Timeline
    cached_tokens: int = 0


class StepResult(msgspec.Struct, omit_defaults=True):
    """What one step brought.

    ``computed_tokens`` include those read back from a memory tier by a step that did nothing else.
    ``computed_tokens == 0`` with nothing else set means that all work waits for leased blocks: the
    worker then waits for a message instead of stepping on. ``released_leases`` are leases of other
    workers whose blocks are no longer read here. ``cost`` is None when nothing was computed.
    """

    deltas: list[TokenDelta] = []
    handoffs: list[Handoff] = []
    released_leases: list[str] = []
    computed_tokens: int = 0
    cost: StepCost | None = None


class EngineLoad(msgspec.Struct, frozen=True, omit_defaults=True):
    """How busy an engine is.

    ``waiting`` and ``running`` count sequences. ``waiting_prefill_tokens`` are known tokens not
    computed yet, prefix hits not foreseen. ``free_blocks`` can be allocated now (evictable cached
    ones included); ``leases`` are hand-offs whose blocks are still kept here. ``drafted`` tokens
    were guessed and verified since the start, of which ``accepted`` were right; ``from_ram`` and
    ``from_disk`` blocks were read back from a memory tier. ``slack_s`` and
    ``pace_s`` are what ``pacing.slack_of`` says of the decoding sequences.
    """

    waiting: int = 0
    running: int = 0
    waiting_prefill_tokens: int = 0
    free_blocks: int = 0
    total_blocks: int = 0
    leases: int = 0
    preemptions: int = 0
    drafted: int = 0
    accepted: int = 0
    from_ram: int = 0
    from_disk: int = 0
    slack_s: float | None = None
    pace_s: float | None = None
