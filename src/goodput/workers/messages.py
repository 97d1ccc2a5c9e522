"""What the host process and its workers say to each other: typed structs, msgpack on the wire.

Every request runs under an *attempt id* that is never used twice, so a late message of an attempt
that was cancelled, or retried elsewhere, cannot be taken for the current one.
"""

from __future__ import annotations

import msgspec

from goodput.core.config import Backend, EngineConfig, EngineKind, ModelledConfig, Role
from goodput.core.request import GenerationRequest, TokenDelta
from goodput.core.speeds import StepCost
from goodput.core.tiers_config import TiersConfig
from goodput.core.timeline import Timeline


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """For tests only: what goes wrong in a worker.

    ``how`` "kill" ends and "stop" freezes it at the point ``at``, after ``after`` passes that it
    survives; workers/faults.py lists the points. "delay" holds its messages back, both ways, for up
    to ``seconds``. Only a slot's first process does it, unless ``always``.
    """

    at: str = ""
    after: int = 0
    how: str = "kill"
    seconds: float = 0.0
    always: bool = False


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker needs to know; the first frame on its channel.

    The worker may allocate blocks ``first_block .. first_block + num_blocks`` of the shared pool.
    ``reserved`` are blocks of that range that another worker still reads under a lease of the
    previous incarnation; they come back with :class:`FreeLease`.
    ``model_path`` and ``backend`` matter to the engine kind ``model``, ``modelled``,
    ``vocab_size`` and ``eos_token_ids`` to the other one. ``kv_folder`` is where blocks of this
    model and layout are kept that ``tiers`` has on disk. ``nice`` keeps the frontend responsive.
    """

    name: str
    role: Role
    incarnation: int
    engine: EngineConfig
    context_length: int
    engine_kind: EngineKind
    backend: Backend
    model_path: str | None
    modelled: ModelledConfig
    vocab_size: int
    tiers: TiersConfig = TiersConfig()
    kv_folder: str = ""
    pool_fd: int
    pool_blocks: int
    bytes_per_block: int
    first_block: int
    num_blocks: int
    cores: tuple[int, ...] | None = None
    reserved: dict[str, list[int]] = {}
    nice: int = 5
    heartbeat_s: float = 0.5
    parent_pid: int = 0
    fault: Fault | None = None


class _ToWorker(msgspec.Struct, tag_field="t", array_like=True):
    """Base of what the host sends."""


class Configure(_ToWorker, tag="configure"):
    config: WorkerConfig


class Submit(_ToWorker, tag="submit"):
    """Compute this request from its prompt. ``request.id`` is the attempt id.

    With ``keep`` the worker also decodes it, whatever its role is until it is told another one.
    With ``until`` it computes only so many positions of the prompt (a multiple of the block size)
    and hands them over; 0 is all, and the first token.
    """

    request: GenerationRequest
    keep: bool = False
    until: int = 0


class StartDecode(_ToWorker, tag="decode"):
    """Go on with a request whose KV lies in ``blocks`` of another worker, under a lease.

    ``request.generated`` ends with the tokens made so far; the first ``num_computed`` positions
    have their KV. The worker may read the blocks until it reports the lease as released.
    """

    request: GenerationRequest
    lease_id: str
    blocks: list[int]
    num_computed: int
    timeline: Timeline
    cached_tokens: int


class Cancel(_ToWorker, tag="cancel"):
    """Stop this attempt in whatever state it is; unknown ids are ignored."""

    attempt_id: str


class FreeLease(_ToWorker, tag="free"):
    """The blocks of this lease are nobody else's any more; unknown ids are ignored."""

    lease_id: str


class Inspect(_ToWorker, tag="inspect"):
    """Answer with an :class:`InspectReport` that carries the same number."""

    number: int


class SetRole(_ToWorker, tag="role"):
    """Work as this role from the next step on; the weights and all sequences stay.

    A worker made "prefill" hands off what it decodes, except on blocks leased from others.
    """

    role: Role


class Resync(_ToWorker, tag="resync"):
    """Some of the worker's cache events are missing: answer with all that is cached."""


class Stop(_ToWorker, tag="stop"):
    """Leave at once: the host has drained, or gives up."""


ToWorker = Configure | Submit | StartDecode | Cancel | FreeLease | Inspect | SetRole | Resync | Stop


class HandoffNotice(msgspec.Struct, array_like=True):
    """A worker computed this prompt, or its part of it, and holds ``blocks`` for the lease.

    ``tokens`` are the ids generated so far in this attempt and before (at least one, unless the
    prompt is split: then ``num_computed`` of its positions are done).
    """

    attempt_id: str
    lease_id: str
    blocks: list[int]
    num_computed: int
    tokens: list[int]
    timeline: Timeline
    cached_tokens: int


class WorkerLoad(msgspec.Struct, array_like=True):
    """A worker's queue and memory, in sequences, tokens and KV blocks.

    Prompts may hold up its decoding sequences for ``slack_s`` seconds before one is late for what
    it was promised, and each then needs a token every ``pace_s`` seconds (None: no promises).
    The rest are counts since the process started: guessed tokens that were verified and those that
    were right, and KV blocks read back from a memory tier.
    """

    waiting: int = 0
    running: int = 0
    waiting_prefill_tokens: int = 0
    free_blocks: int = 0
    total_blocks: int = 0
    slack_s: float | None = None
    pace_s: float | None = None
    drafted: int = 0
    accepted: int = 0
    from_ram: int = 0
    from_disk: int = 0


class _FromWorker(msgspec.Struct, tag_field="t", array_like=True):
    """Base of what a worker sends."""


class Ready(_FromWorker, tag="ready"):
    """The engine is loaded; requests may come. ``load_s``: seconds from start to here."""

    load_s: float
    load: WorkerLoad


class Failed(_FromWorker, tag="failed"):
    """The worker cannot start: one sentence for the user. It exits after this."""

    reason: str


class Leaving(_FromWorker, tag="leaving"):
    """Somebody sent SIGTERM to this worker. It works on: the host drains it, then says Stop."""


class LeaseAck(_FromWorker, tag="ack"):
    """The decode worker took over the blocks at ``at`` (monotonic seconds)."""

    attempt_id: str
    lease_id: str
    at: float


class Report(_FromWorker, tag="report"):
    """What one engine step, or a cancellation, brought; with all lists empty it is a heartbeat.

    ``stored`` and ``removed`` are prefix hashes that entered or left the worker's cache;
    ``cache_number`` counts the reports so far that had any, so that a missing one is noticed.
    ``cached`` are all hashes in the cache, the answer to :class:`Resync`.
    """

    load: WorkerLoad
    deltas: list[TokenDelta] = []
    handoffs: list[HandoffNotice] = []
    released_leases: list[str] = []
    cost: StepCost | None = None
    stored: list[bytes] = []
    removed: list[bytes] = []
    cache_number: int = 0
    cached: list[bytes] | None = None


class InspectReport(_FromWorker, tag="inspected"):
    """The state of a worker's bookkeeping. ``error`` is a broken invariant, as a sentence.

    ``free_blocks`` counts those that nobody references, cached ones included.
    """

    number: int
    free_blocks: int
    total_blocks: int
    sequences: int
    leases: int
    role: Role
    error: str | None = None
    pid: int = 0
    rss_bytes: int = 0


FromWorker = Ready | Failed | Leaving | LeaseAck | Report | InspectReport
