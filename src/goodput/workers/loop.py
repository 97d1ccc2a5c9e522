"""The worker's loop: take messages, step the engine, report. One thread, no locks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from typing import Final

from goodput.core.clock import Clock
from goodput.engine.engine import Engine
from goodput.engine.report import StepResult
from goodput.kv.invariants import InvariantError
from goodput.workers.channel import Channel
from goodput.workers.faults import FaultTrigger
from goodput.workers.messages import (
    Cancel,
    FreeLease,
    HandoffNotice,
    Inspect,
    InspectReport,
    LeaseAck,
    Leaving,
    Report,
    Resync,
    SetRole,
    StartDecode,
    Stop,
    Submit,
    ToWorker,
    WorkerConfig,
    WorkerLoad,
)
from goodput.workers.process import resident_bytes

# An idle worker checks its bookkeeping once, this long after its last work.
_CHECK_AFTER_S: Final = 2.0
# While all work waits for leased blocks nothing is computed; messages end that.
_STALL_POLL_S: Final = 0.005
# The host waits two seconds for a worker that it told to stop.
_SETTLE_S: Final = 1.2


class WorkerLoop:
    """Runs until the host says Stop or is gone (ChannelClosed).

    The heartbeat comes from this loop itself, so that a worker that hangs falls silent. Any
    exception of the engine leaves the loop: the process must end, its requests are retried.
    """

    def __init__(
        self,
        config: WorkerConfig,
        channel: Channel,
        engine: Engine,
        clock: Clock,
    ) -> None:
        self._config = config
        self._channel = channel
        self._engine = engine
        self._clock = clock
        self._fault = FaultTrigger(config.fault)
        self._stopping = False
        self._stalled = False
        self._last_sent = clock.now()
        self._check_at: float | None = None
        self._told_to_leave = False
        self._cache_number = 0

    def run(self, early: list[ToWorker]) -> None:
        """``early`` came before the loop began. Raises ChannelClosed when the host is gone."""
        # Only from here on: a worker that still loads is the host's to end.
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_told_to_leave", True))
        for message in early:
            self._handle(message)
        while not self._stopping:
            self.turn(self._channel.receive(self._poll_s()))
            if self._told_to_leave:
                self._told_to_leave = False
                self._send(Leaving())
        self._engine.settle(_SETTLE_S)

    def turn(self, messages: Iterable[ToWorker]) -> None:
        """Take in what has come, then compute a step where there is work."""
        for message in messages:
            self._handle(message)
        if self._engine.has_work:
            self._step()
        else:
            self._idle()

    @property
    def stalled(self) -> bool:
        """Whether all work waits for leased blocks: only a message, or time, changes that."""
        return self._stalled

    def load(self) -> WorkerLoad:
        """The engine's load as a message part."""
        load = self._engine.load()
        return WorkerLoad(
            load.waiting,
            load.running,
            load.waiting_prefill_tokens,
            load.free_blocks,
            load.total_blocks,
            load.slack_s,
            load.pace_s,
            load.drafted,
            load.accepted,
            load.from_ram,
            load.from_disk,
        )

    def _poll_s(self) -> float:
        if not self._engine.has_work:
            return self._config.heartbeat_s
        return _STALL_POLL_S if self._stalled else 0.0

    def _step(self) -> None:
        self._fault.at("before_step")
        result = self._engine.step()
        self._check_at = self._clock.now() + _CHECK_AFTER_S
        self._stalled = not result.computed_tokens
        if result.handoffs:
            self._fault.at("before_handoff")
        if result.released_leases:
            self._fault.at("before_release")
        if not self._stalled or result.deltas or result.released_leases:
            self._report(result)
        else:
            self._heartbeat()
        if result.handoffs:
            self._fault.at("after_handoff")
        elif result.deltas:
            self._fault.at("after_decode")
        if result.released_leases:
            self._fault.at("after_release")

    def _report(self, result: StepResult) -> None:
        events = self._engine.pool.drain_events()
        self._cache_number += bool(events)
        handoffs = [
            HandoffNotice(
                attempt_id=handoff.request_id,
                lease_id=handoff.lease_id,
                blocks=handoff.blocks,
                num_computed=handoff.num_computed,
                tokens=handoff.generated,
                timeline=handoff.timeline,
                cached_tokens=handoff.cached_tokens,
            )
            for handoff in result.handoffs
        ]
        self._send(
            Report(
                load=self.load(),
                deltas=result.deltas,
                handoffs=handoffs,
                released_leases=result.released_leases,
                cost=result.cost,
                stored=events.stored,
                removed=events.removed,
                cache_number=self._cache_number,
            )
        )

    def _idle(self) -> None:
        now = self._clock.now()
        if self._check_at is not None and now >= self._check_at:
            self._check_at = None
            self._engine.check_invariants()
        self._heartbeat()

    def _heartbeat(self) -> None:
        if self._clock.now() - self._last_sent >= self._config.heartbeat_s:
            self._send(Report(load=self.load(), cache_number=self._cache_number))

    def _handle(self, message: ToWorker) -> None:
        match message:
            case Submit(request=request, keep=keep, until=until):
                self._fault.at("on_submit")
                self._engine.add(request, keep=keep, until=until)
            case StartDecode():
                self._take_over(message)
            case Cancel(attempt_id=attempt_id):
                self._fault.at("on_cancel")
                lease_id = self._engine.cancel(attempt_id)
                # At once: the router should know of the room before this worker's next step ends.
                self._send(
                    Report(
                        load=self.load(),
                        released_leases=[] if lease_id is None else [lease_id],
                        cache_number=self._cache_number,
                    )
                )
            case FreeLease(lease_id=lease_id):
                self._fault.at("before_free")
                self._engine.release_lease(lease_id)
            case Inspect(number=number):
                self._send(self._inspect(number))
            case SetRole(role=role):
                self._engine.role = role
            case Resync():
                self._engine.pool.drain_events()  # They are in what is told now.
                cached = self._engine.pool.cached_hashes()
                self._send(Report(load=self.load(), cache_number=self._cache_number, cached=cached))
            case Stop():
                self._stopping = True
            case _:
                raise ValueError(f"the host sent {type(message).__name__} twice")

    def _take_over(self, message: StartDecode) -> None:
        self._fault.at("before_ack")
        self._engine.add_handed_over(
            message.request,
            message.blocks,
            message.num_computed,
            message.timeline,
            message.lease_id,
            message.cached_tokens,
        )
        # At once, not with the next step's report: the time until here is the hand-off's.
        self._send(LeaseAck(message.request.id, message.lease_id, self._clock.now()))
        self._fault.at("after_ack")

    def _inspect(self, number: int) -> InspectReport:
        error: str | None = None
        try:
            self._engine.check_invariants()
        except InvariantError as broken:
            error = str(broken)
        load = self._engine.load()
        return InspectReport(
            number=number,
            free_blocks=load.free_blocks,
            total_blocks=load.total_blocks,
            sequences=load.waiting + load.running,
            leases=load.leases,
            role=self._engine.role,
            error=error,
            pid=os.getpid(),
            rss_bytes=resident_bytes(),
        )

    def _send(self, message: Report | Leaving | LeaseAck | InspectReport) -> None:
        self._last_sent = self._clock.now()
        self._channel.send(message)
