"""One worker's engine: requests in, tokens and hand-offs out, one step at a time."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from itertools import count

from goodput.core.clock import Clock
from goodput.core.config import EngineConfig, Role
from goodput.core.request import GenerationRequest, TokenDelta
from goodput.core.speeds import StepCost
from goodput.core.timeline import Timeline
from goodput.engine.executor import Executor
from goodput.engine.pacing import slack_of
from goodput.engine.report import EngineLoad, Handoff, StepResult
from goodput.engine.scheduler import Outcome, Scheduler
from goodput.engine.sequence import Sequence, SequenceStatus
from goodput.kv.block_pool import BlockPool
from goodput.kv.invariants import require
from goodput.kv.tiers.tiers import Tiers


class Engine:
    """Runs sequences over an executor. Not thread-safe; owns ``pool`` while it lives.

    An exception of the executor is not caught: the state of the KV is then unknown, so the worker
    process ends, and the coordinator retries its requests elsewhere with what was generated.
    """

    def __init__(
        self,
        config: EngineConfig,
        pool: BlockPool,
        executor: Executor,
        clock: Clock,
        role: Role = "mixed",
        lease_prefix: str | None = None,
        tiers: Tiers | None = None,
    ) -> None:
        """``lease_prefix`` must differ between all lives of all workers; random when None.

        ``tiers`` keep what ``pool`` evicts.
        """
        self.pool = pool
        self.executor = executor
        self.clock = clock
        self.scheduler = Scheduler(config, pool, clock, role, tiers=tiers)
        if tiers is not None:
            pool.on_evict = tiers.keep
        self._sequences: dict[str, Sequence] = {}
        self._leases: dict[str, list[int]] = {}
        self._arrivals = count()
        self._lease_prefix = lease_prefix or secrets.token_hex(6)
        self._lease_numbers = count()

    @property
    def role(self) -> Role:
        """Whether sequences are handed off after their first token; may be set between steps."""
        return self.scheduler.role

    @role.setter
    def role(self, role: Role) -> None:
        self.scheduler.role = role
        for sequence in self._sequences.values():
            sequence.keep = False

    @property
    def has_work(self) -> bool:
        """Whether ``step`` is worth calling. It may still find all blocks under leases."""
        return self.scheduler.has_work

    def add(
        self,
        request: GenerationRequest,
        timeline: Timeline | None = None,
        *,
        keep: bool = False,
        until: int = 0,
    ) -> None:
        """Queue a request. ``timeline`` (kept and stamped) has the stamps before this worker.

        With ``keep`` it is not handed off, unless the role is set once more. With ``until`` (a
        multiple of the block size, below the number of tokens) it is handed off as soon as so many
        positions are computed, whatever the role.

        A request that can never run (no prompt, or one that fills the context or the whole pool)
        ends with the reason "error" in the next step. Raises ValueError for an id in use.
        """
        if timeline is None:
            timeline = Timeline(received=request.received, submitted=self.clock.now())
        sequence = self._sequence(request, timeline)
        size = self.pool.block_size
        if until and not (0 < until < len(sequence.tokens) and until % size == 0):
            raise ValueError(
                f"the request {request.id} has {len(sequence.tokens)} tokens, so its prompt cannot "
                f"be split at {until} with blocks of {size}"
            )
        sequence.keep = keep
        sequence.until = until
        self._enter(sequence)

    def add_handed_over(
        self,
        request: GenerationRequest,
        blocks: list[int],
        num_computed: int,
        timeline: Timeline,
        lease_id: str,
        cached_tokens: int = 0,
    ) -> None:
        """Queue a sequence whose prompt another worker computed, all of it or its beginning.

        ``request.generated`` has the tokens so far; ``blocks`` hold the KV of the first
        ``num_computed`` positions and stay readable until this engine reports ``lease_id`` as
        released. They are never counted in this pool. The last block may be partly filled and is
        written on. Raises ValueError for an id in use, or blocks that cannot be a hand-over.
        """
        sequence = self._sequence(request, timeline)
        capacity = len(blocks) * self.pool.block_size
        if not 0 < num_computed < len(sequence.tokens) or num_computed > capacity:
            raise ValueError(
                f"the request {request.id} has {len(sequence.tokens)} tokens, of which "
                f"{num_computed} cannot be in {len(blocks)} leased blocks"
            )
        if any(self.pool.owns(block) for block in blocks):
            raise ValueError(f"the lease {lease_id} is for blocks of this worker itself")
        sequence.blocks = list(blocks)
        sequence.num_leased = len(blocks)
        sequence.lease_id = lease_id
        sequence.num_computed = num_computed
        sequence.num_cached = cached_tokens
        self._enter(sequence)

    def cancel(self, request_id: str) -> str | None:
        """End a request in whatever state; no delta is reported for it. Its blocks are free now.

        Returns the lease that it held of another worker, for the caller to report as released.
        An unknown request (ended, or handed off before) is no error: None.
        """
        sequence = self._sequences.pop(request_id, None)
        if sequence is None or sequence.status is SequenceStatus.FINISHED:
            return None
        lease_id = sequence.lease_id
        self.scheduler.cancel(sequence)
        if lease_id is not None:
            self.scheduler.released_leases.remove(lease_id)
        return lease_id

    def step(self) -> StepResult:
        """Schedule, execute, commit. Blocks while the executor computes."""
        plan = self.scheduler.schedule()
        if not plan.chunks:
            return self._report(self.scheduler.commit(plan, []), plan.fetched)
        started = self.clock.now()
        sampled = self.executor.execute(plan)
        cost = StepCost(self.clock.now() - started, *plan.by_phase())
        self.scheduler.pace.speeds.observe(cost)
        result = self._report(self.scheduler.commit(plan, sampled), plan.tokens)
        result.cost = cost
        return result

    def release_lease(self, lease_id: str) -> bool:
        """Drop the references kept for a hand-off; False when they were dropped before."""
        blocks = self._leases.pop(lease_id, None)
        if blocks is None:
            return False
        self.pool.release(blocks)
        return True

    def reserve(self, blocks: Iterable[int], lease_id: str) -> None:
        """Keep ``blocks`` of this worker's former life until ``release_lease(lease_id)``.

        Call it before the first ``add``: the holder of the lease may be reading them.
        """
        require(lease_id not in self._leases, f"the lease {lease_id} is reserved twice")
        kept = list(blocks)
        self.pool.claim(kept)
        self._leases[lease_id] = kept

    def load(self) -> EngineLoad:
        """What a router wants to know; O(running)."""
        running = self.scheduler.running
        prefilling = sum(x.remaining for x in running if x.remaining > 1)
        slack, pace = slack_of(running, self.clock.now())
        tiers = self.scheduler.tiers
        return EngineLoad(
            waiting=len(self.scheduler.waiting),
            running=len(running),
            waiting_prefill_tokens=self.scheduler.waiting_tokens + prefilling,
            free_blocks=self.pool.available,
            total_blocks=self.pool.num_blocks,
            leases=len(self._leases),
            preemptions=self.scheduler.preemptions,
            drafted=self.scheduler.drafted,
            accepted=self.scheduler.accepted,
            from_ram=0 if tiers is None else tiers.from_ram.count,
            from_disk=0 if tiers is None else tiers.from_disk.count,
            slack_s=slack,
            pace_s=pace,
        )

    def settle(self, within_s: float) -> None:
        """The worker ends: keep what is cached on disk, as much as fits into the time."""
        if self.scheduler.tiers is not None:
            self.scheduler.tiers.settle(self.pool.cached_blocks(), within_s)

    def check_invariants(self) -> None:
        """Raise InvariantError unless every block and sequence is accounted for. O(pool)."""
        live = [*self.scheduler.running, *self.scheduler.waiting]
        ids = {x.id for x in live}
        require(len(ids) == len(live), "a sequence is scheduled twice")
        ended = {k for k, x in self._sequences.items() if x.status is SequenceStatus.FINISHED}
        require(ids == self._sequences.keys() - ended, "sequences are known but not scheduled")
        for sequence in live:
            room = len(sequence.blocks) * self.pool.block_size
            require(sequence.num_computed <= room, f"{sequence} has computed more than its blocks")
            require(sequence.remaining > 0, f"{sequence} has nothing left to compute")
        waiting = sum(x.remaining for x in self.scheduler.waiting)
        require(waiting == self.scheduler.waiting_tokens, "the count of waiting tokens is wrong")
        claims = [x.blocks[x.num_leased :] for x in live]
        self.pool.check_invariants([*claims, *self._leases.values()])

    def _sequence(self, request: GenerationRequest, timeline: Timeline) -> Sequence:
        if request.id in self._sequences:
            raise ValueError(f"the request {request.id} is already in this engine")
        return Sequence(request, timeline, next(self._arrivals))

    def _enter(self, sequence: Sequence) -> None:
        self._sequences[sequence.id] = sequence
        self.scheduler.add(sequence)

    def _report(self, outcomes: list[Outcome], computed_tokens: int) -> StepResult:
        result = StepResult(computed_tokens=computed_tokens)
        for outcome in outcomes:
            sequence = outcome.sequence
            if self._sequences.get(sequence.id) is not sequence:
                continue  # It was cancelled between its end and this report.
            if sequence.finish_reason is not None or outcome.handed_off:
                del self._sequences[sequence.id]
            if outcome.tokens or sequence.finish_reason is not None:
                result.deltas.append(_delta(outcome))
            if outcome.handed_off:
                result.handoffs.append(self._hand_off(sequence))
        result.released_leases, self.scheduler.released_leases = (
            self.scheduler.released_leases,
            [],
        )
        return result

    def _hand_off(self, sequence: Sequence) -> Handoff:
        lease_id = f"{self._lease_prefix}-{next(self._lease_numbers)}"
        self._leases[lease_id] = sequence.blocks
        return Handoff(
            request_id=sequence.id,
            lease_id=lease_id,
            blocks=sequence.blocks,
            num_computed=sequence.num_computed,
            generated=sequence.generated,
            timeline=sequence.timeline,
            cached_tokens=sequence.num_cached,
        )


def _delta(outcome: Outcome) -> TokenDelta:
    sequence = outcome.sequence
    logprobs = [new.logprobs for new in outcome.tokens if new.logprobs is not None]
    delta = TokenDelta(
        request_id=sequence.id,
        token_ids=[new.token for new in outcome.tokens],
        logprobs=logprobs or None,
    )
    if sequence.finish_reason is not None:
        delta.finish_reason = sequence.finish_reason
        delta.stop_token = sequence.stop_token
        delta.cached_tokens = sequence.num_cached
        delta.timeline = sequence.timeline
    return delta
