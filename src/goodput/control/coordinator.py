"""The fleet as a Generator: places requests, hands them over, retries them, undoes them.

Everything here runs in one event loop and never awaits between reading and writing state, except
for a client that waits for its next token. Workers act on their own; the coordinator's order of
events decides what a late message means.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import msgspec

from goodput.control.dispatch import Dispatcher
from goodput.control.job import Inbox, Job, Stage
from goodput.control.lease_desk import LeaseDesk
from goodput.control.planner.traffic import TrafficWindow
from goodput.control.registry import Registry, WorkerSlot
from goodput.core.clock import Clock
from goodput.core.config import LimitsConfig
from goodput.core.errors import GoodputError, OverloadedError, WorkerLostError
from goodput.core.request import GenerationRequest, TokenDelta
from goodput.router.policy import Placement, Work
from goodput.router.router import Router
from goodput.workers.messages import (
    Cancel,
    HandoffNotice,
    LeaseAck,
    Report,
    Resync,
    StartDecode,
    Submit,
)


class Coordinator:
    """Implements :class:`~goodput.core.request.Generator` over the workers of a registry.

    ``patience_s`` bounds how long a request waits for a worker of a role that it needs to come
    (back). ``draining`` refuses new requests with 503. ``traffic``, if set, is told of every
    request.
    """

    def __init__(
        self,
        registry: Registry,
        router: Router,
        leases: LeaseDesk,
        limits: LimitsConfig,
        clock: Clock,
        *,
        patience_s: float,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._registry = registry
        self._router = router
        self._leases = leases
        self._limits = limits
        self._clock = clock
        self.dispatcher = dispatcher or Dispatcher(registry, router, clock)
        self._patience_s = patience_s
        self._jobs: set[Job] = set()
        self._attempts: dict[str, Job] = {}
        self._serial = count(1)
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False
        self.traffic: TrafficWindow | None = None
        self.migrations = 0
        """How often a request went on at another process than the one that had it."""

    @property
    def in_flight(self) -> int:
        """Requests that have neither ended nor been cancelled."""
        return len(self._jobs)

    async def generate(self, request: GenerationRequest) -> AsyncIterator[TokenDelta]:
        """See :class:`~goodput.core.request.Generator`."""
        inbox: asyncio.Queue[TokenDelta | GoodputError] = asyncio.Queue()
        job = self.enter(request, inbox)
        try:
            while True:
                item = await inbox.get()
                # What came while this client had no turn is told at once: a busy server writes
                # less often, not later.
                while not (isinstance(item, GoodputError) or inbox.empty()):
                    later = inbox.get_nowait()
                    if isinstance(later, GoodputError):
                        yield item
                        raise later
                    item = item.followed_by(later)
                if isinstance(item, GoodputError):
                    raise item
                yield item
                if item.finish_reason is not None:
                    return
        finally:
            self.leave(job)

    def enter(self, request: GenerationRequest, inbox: Inbox) -> Job:
        """Take a request on: its deltas, or the error that ends it, go to ``inbox``.

        ``leave`` must follow in any case. Raises OverloadedError for one that is refused.
        """
        if self.draining:
            raise OverloadedError(
                "The server is shutting down and takes no new requests.",
                http_status=503,
                retry_after_s=5.0,
            )
        if len(self._jobs) >= self._limits.max_pending:
            raise OverloadedError(
                f"The server already has {len(self._jobs)} requests in work, its limit."
            )
        job = Job(request, inbox, sent=list(request.generated))
        job.stamps.received = request.received
        self._jobs.add(job)
        self._idle.clear()
        if self.traffic is not None:
            self.traffic.arrived(request, self._clock.now())
        try:
            self.dispatcher.admit(job)
            self._place(job)
        except BaseException:
            self.leave(job)
            raise
        return job

    def leave(self, job: Job) -> None:
        """The client has its end, or went away: whatever still works on it stops."""
        self._undo(job)
        job.stage = Stage.DONE
        self._jobs.discard(job)
        self.dispatcher.ended(job)
        if not self._jobs:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no request is in flight."""
        await self._idle.wait()

    def fail_all(self, reason: str) -> None:
        """End every request with an error: the fleet stops."""
        for job in list(self._jobs):
            self._fail(job, reason)

    # --- what workers report -------------------------------------------------------------------

    def on_report(self, slot: WorkerSlot, report: Report) -> None:
        """Take in one step of a worker."""
        slot.view.load = report.load
        if report.cost is not None:
            slot.view.speeds.observe(report.cost)
        for delta in report.deltas:
            self._on_delta(slot, delta)
        for notice in report.handoffs:
            self._on_handoff(slot, notice)
        for lease_id in report.released_leases:
            self._leases.release(lease_id, slot.name)
        if not self._router.take_in(slot.name, report):
            slot.send(Resync())
        self._dispatch()

    def on_ack(self, slot: WorkerSlot, ack: LeaseAck) -> None:
        """A decode worker took over a request's blocks."""
        self._leases.acknowledge(ack.lease_id, slot.name)
        job = self._attempts.get(ack.attempt_id)
        if job is not None and job.slot is slot and job.stage is Stage.OFFERED:
            job.stage = Stage.DECODE
            job.stamps.accepted = ack.at

    def worker_ready(self) -> None:
        """A worker came up: jobs that waited for one get another chance."""
        for job in list(self._jobs):
            if job.stage is Stage.PARKED:
                self._place(job)
            elif job.stage is Stage.ORPHANED:
                self._offer(job)

    def worker_died(self, slot: WorkerSlot) -> None:
        """The slot's process is gone for sure: end its leases, retry what it had."""
        self._router.forget(slot.name)
        self._leases.worker_died(slot.name)
        for job in list(self._jobs):
            if job.slot is slot and job.stage is not Stage.DONE:
                self._retry(job, slot)

    def holds(self, slot: WorkerSlot) -> int:
        """How many requests would have to go elsewhere if the worker ended now."""
        return sum(job.slot is slot for job in self._jobs)

    def move_from(self, slot: WorkerSlot) -> None:
        """Take every request from a live worker; each goes on elsewhere after its tokens so far.

        That is no failed attempt of theirs.
        """
        for job in list(self._jobs):
            if job.slot is slot and job.stage is not Stage.DONE:
                self._undo(job)
                self.migrations += 1
                job.deadline = 0.0
                job.attempts -= 1
                job.stage = Stage.PARKED
                self._place(job)

    def tick(self) -> None:
        """Apply deadlines; call it a few times a second."""
        self._leases.expire()
        now = self._clock.now()
        for job, refusal in self.dispatcher.hopeless():
            self._end(job, refusal)
        self._dispatch()
        for job in list(self._jobs):
            if job.stage in (Stage.PARKED, Stage.ORPHANED) and now >= job.deadline:
                self._fail(job, "No worker that could take the request became ready in time.")

    # --- the steps of a job --------------------------------------------------------------------

    def _place(self, job: Job) -> None:
        """Have the job wait for its turn, or go on at once where it was under way before."""
        if not job.attempt_id:
            job.stage = Stage.QUEUED
            job.stamps.submitted = job.stamps.submitted or self._clock.now()
            self.dispatcher.add(job)
            self._dispatch()
        else:
            self._submit(*self.dispatcher.choose(job))

    def _dispatch(self) -> None:
        for job, work, placement in self.dispatcher.due():
            self._submit(job, work, placement)

    def _submit(self, job: Job, work: Work, placement: Placement | None) -> None:
        if placement is None:
            self._park(job, Stage.PARKED)
            return
        slot = self._registry[placement.prefill]
        job.planned = self._registry[placement.decode] if placement.decode else None
        decode, uncached = (job.planned or slot).view, work.uncached(slot.name)
        rest = work.tokens - placement.split if placement.split else 0
        job.charge([(slot.view, uncached - rest), (decode, rest)], decode)
        job.attempts += 1
        job.attempt_id = f"{job.request.id}#{next(self._serial)}"
        job.slot = slot
        job.stage = Stage.PREFILL
        self._attempts[job.attempt_id] = job
        self.dispatcher.sent(job, slot.name)
        request = self._attempt_request(job)
        slot.send(Submit(request, keep=job.planned is None, until=placement.split))

    def _on_delta(self, slot: WorkerSlot, delta: TokenDelta) -> None:
        job = self._attempts.get(delta.request_id)
        if job is None or job.slot is not slot:
            return
        job.uncharge_prefill()
        job.sent += delta.token_ids
        delta.request_id = job.request.id
        if delta.finish_reason is not None:
            if delta.timeline is not None:
                delta.timeline = job.final_timeline(delta.timeline)
            if self.traffic is not None:
                self.traffic.ended(
                    job.request,
                    len(job.sent),
                    delta.cached_tokens,
                    delta.timeline,
                    self._clock.now(),
                )
            self._detach(job)
            job.stage = Stage.DONE
        job.inbox.put_nowait(delta)

    def _on_handoff(self, slot: WorkerSlot, notice: HandoffNotice) -> None:
        if not self._leases.grant(notice.lease_id, slot.name, notice.blocks):
            return
        job = self._attempts.get(notice.attempt_id)
        # A decoding job is handed off by a worker that drains, or that was made a prefill worker;
        # one in its prompt without a token where the prompt is split.
        if job is None or job.slot is not slot or job.stage not in (Stage.PREFILL, Stage.DECODE):
            self._leases.withdraw(notice.lease_id)
            return
        self.migrations += job.stage is Stage.DECODE
        job.notice = notice
        job.merge_stamps(notice.timeline)
        self._offer(job)

    def _offer(self, job: Job) -> None:
        notice = job.notice
        assert notice is not None
        target = job.planned
        if target is None or not target.is_ready or target.role == "prefill":
            views = self._registry.ready_views()
            name = self._router.place_decode(job.request, job.attempt_tokens, views)
            target = None if name is None else self._registry[name]
        if target is None:
            self._park(job, Stage.ORPHANED)
            return
        if not self._leases.offer(notice.lease_id, target.name):
            # The lease is gone, or this worker is being killed: start over, the tokens are safe.
            self._leases.withdraw(notice.lease_id)
            self._retry(job, target)
            return
        rest = job.attempt_tokens - notice.num_computed
        # What a computed prompt leaves is its newest token, which is decoded.
        job.charge([(target.view, rest)] if rest > 1 else [], target.view)
        job.slot = target
        job.stage = Stage.OFFERED
        job.stamps.offered = self._clock.now()
        job.stamps.accepted = None
        request = msgspec.structs.replace(
            job.request, id=job.attempt_id, generated=list(notice.tokens)
        )
        target.send(
            StartDecode(
                request=request,
                lease_id=notice.lease_id,
                blocks=notice.blocks,
                num_computed=notice.num_computed,
                timeline=notice.timeline,
                cached_tokens=notice.cached_tokens,
            )
        )

    def _park(self, job: Job, stage: Stage) -> None:
        if job.stage is not stage or not job.deadline:
            job.deadline = self._clock.now() + self._patience_s
        job.stage = stage

    def _retry(self, job: Job, lost: WorkerSlot) -> None:
        self._undo(job)
        job.deadline = 0.0
        if job.attempts >= self._limits.max_attempts:
            self._fail(
                job,
                f"The worker {lost.name} was lost while it had the request, "
                f"as on {job.attempts - 1} attempts before; it is not tried again."
                if job.attempts > 1
                else f"The worker {lost.name} was lost while it had the request.",
            )
            return
        self.migrations += 1
        job.stage = Stage.PARKED
        self._place(job)

    def _fail(self, job: Job, reason: str) -> None:
        self._end(job, WorkerLostError(reason))

    def _end(self, job: Job, error: GoodputError) -> None:
        self._undo(job)
        if self.traffic is not None:
            self.traffic.ended(job.request, len(job.sent), 0, None, self._clock.now())
        job.stage = Stage.DONE
        job.inbox.put_nowait(error)

    def _undo(self, job: Job) -> None:
        """Take the job from whatever worker has it; its blocks come back by themselves."""
        if job.stage is Stage.ORPHANED and job.notice is not None:
            self._leases.withdraw(job.notice.lease_id)
        elif job.stage in (Stage.PREFILL, Stage.OFFERED, Stage.DECODE) and job.slot is not None:
            # A dead worker has no channel: the message is dropped.
            job.slot.send(Cancel(job.attempt_id))
        self._detach(job)

    def _detach(self, job: Job) -> None:
        self.dispatcher.discard(job)
        self._attempts.pop(job.attempt_id, None)
        job.uncharge()
        job.slot = job.planned = job.notice = None

    def _attempt_request(self, job: Job) -> GenerationRequest:
        return msgspec.structs.replace(job.request, id=job.attempt_id, generated=list(job.sent))
