"""Keeps every worker slot filled with a live process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Final

from goodput.control.coordinator import Coordinator
from goodput.control.drainer import Drainer
from goodput.control.health.monitor import HealthMonitor
from goodput.control.lease_desk import LeaseDesk
from goodput.control.registry import Registry, SlotSpec, WorkerPhase, WorkerSlot
from goodput.core.clock import Clock
from goodput.core.errors import GoodputError
from goodput.core.operations_config import HealthConfig
from goodput.workers.launch import WorkerProcess
from goodput.workers.messages import (
    Failed,
    FromWorker,
    InspectReport,
    LeaseAck,
    Leaving,
    Ready,
    Report,
    Stop,
    WorkerConfig,
)

ConfigOf = Callable[[SlotSpec, int, Mapping[str, list[int]]], WorkerConfig]
"""(slot, incarnation, reserved leases) → what its next process is told."""

_TICK_S: Final = 0.1
_MAX_FAILED_STARTS: Final = 3
_MAX_BACKOFF_S: Final = 10.0
_STOP_GRACE_S: Final = 2.0


class WorkerStartError(GoodputError):
    """A worker fails to start again and again; the message has its own last line."""


class Supervisor:
    """Starts, watches and restarts workers; owns their processes.

    A process that is silent for ``heartbeat_timeout_s`` (or ``start_timeout_s`` before it is
    ready) is killed. A slot that fails to start three times in a row ends the fleet: ``failed``
    then has the error. ``notify`` gets one short line for each event that an operator cares for.
    """

    def __init__(
        self,
        registry: Registry,
        coordinator: Coordinator,
        leases: LeaseDesk,
        drainer: Drainer,
        health: HealthConfig,
        config_of: ConfigOf,
        clock: Clock,
        *,
        pool_fd: int,
        threads: int,
        heartbeat_timeout_s: float,
        start_timeout_s: float,
        notify: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._coordinator = coordinator
        self._leases = leases
        self._drainer = drainer
        self._config_of = config_of
        self._clock = clock
        self._pool_fd = pool_fd
        self._threads = threads
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._start_timeout_s = start_timeout_s
        self._notify = notify
        self.health = HealthMonitor(
            registry,
            health,
            can_spare=drainer.can_spare,
            replace=lambda slot, why: self.spawn(drainer.leave(slot, why, replace=True)),
            notify=notify,
        )
        self.listeners: list[Callable[[WorkerSlot, Report], None]] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._stopping = asyncio.Event()
        self.changed = asyncio.Condition()
        self.failed: asyncio.Future[GoodputError] = asyncio.get_running_loop().create_future()
        self.inspections: dict[int, asyncio.Future[InspectReport]] = {}

    def start(self) -> None:
        """Begin to fill all slots; returns at once."""
        for slot in self._registry:
            self.spawn(self._keep_filled(slot))
        self.spawn(self._watch())

    async def stop(self) -> None:
        """End all workers: asked first, killed after a moment. None is left when it returns."""
        self._stopping.set()
        self._drainer.held = True
        for slot in self._registry:
            if slot.phase is WorkerPhase.STARTING:
                slot.kill()  # It reads no messages yet.
            slot.send(Stop())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_GRACE_S)
        for slot in self._registry:
            slot.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[None, None, object]) -> None:
        """Run ``work`` until the fleet stops; an exception of it ends the fleet."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failed.done():
            # Supervision itself failed (no process can be forked, say): nobody watches any more.
            self.failed.set_result(GoodputError(f"The workers cannot be supervised: {error}."))

    async def _keep_filled(self, slot: WorkerSlot) -> None:
        failed_starts = 0
        while not self._stopping.is_set():
            if not slot.wanted:
                await self._until_wanted(slot)
                continue
            reason, was_ready = await self._live(slot)
            if self._stopping.is_set():
                return
            if slot.leaving:
                slot.leaving = False
                self._notify(f"{slot.name} has left")
                continue
            failed_starts = 0 if was_ready else failed_starts + 1
            if failed_starts >= _MAX_FAILED_STARTS:
                sentence = f"The worker {slot.name} cannot start: {reason.rstrip('.')}."
                if not self.failed.done():
                    self.failed.set_result(WorkerStartError(sentence))
                return
            slot.restarts += 1
            self._notify(f"{slot.name} was lost ({reason}); it is being restarted")
            await self._pause(failed_starts)

    async def _until_wanted(self, slot: WorkerSlot) -> None:
        slot.phase = WorkerPhase.STOPPED
        slot.wanted_again.clear()
        waits = [asyncio.create_task(event.wait()) for event in (slot.wanted_again, self._stopping)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _pause(self, failed_starts: int) -> None:
        # At once after a death in service, for its requests wait; slower when it cannot start.
        await self.sleep(min(_MAX_BACKOFF_S, 0.5 * (2**failed_starts - 1)))

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or at once when the workers are to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _live(self, slot: WorkerSlot) -> tuple[str, bool]:
        """One process from start to end: why it ended, and whether it had become ready."""
        slot.incarnation += 1
        slot.reset_view()
        slot.last_heard = self._clock.now()
        failure: list[str] = []

        def on_message(message: FromWorker) -> None:
            if isinstance(message, Failed):
                failure.append(message.reason)
            else:
                self._dispatch(slot, message)

        def configure() -> WorkerConfig:
            reserved = self._leases.worker_starts(slot.name)
            return self._config_of(slot.spec, slot.incarnation, reserved)

        process = await WorkerProcess.start(
            pool_fd=self._pool_fd, threads=self._threads, configure=configure, on_message=on_message
        )
        # Without an await since ``configure``: no Free for a reserved lease can have been missed.
        slot.process = process
        slot.phase = WorkerPhase.STARTING
        if self._stopping.is_set():
            process.kill()
        status = await process.ended()
        was_ready = slot.is_serving
        slot.phase = WorkerPhase.DEAD
        slot.process = None
        self._coordinator.worker_died(slot)
        await self._announce()
        said = failure[0] if failure else process.complaint or process.last_line
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return (said if said and status >= 0 else process.complaint or how), was_ready

    def _dispatch(self, slot: WorkerSlot, message: FromWorker) -> None:
        slot.last_heard = self._clock.now()
        match message:
            case Report():
                self.health.on_report(slot, message, slot.last_heard)
                for listen in self.listeners:
                    listen(slot, message)
                self._coordinator.on_report(slot, message)
            case LeaseAck():
                self._coordinator.on_ack(slot, message)
            case Ready():
                self._on_ready(slot, message)
            case InspectReport():
                waiter = self.inspections.pop(message.number, None)
                if waiter is not None and not waiter.done():
                    waiter.set_result(message)
            case Leaving():
                self.spawn(self._drainer.leave(slot, "it was sent SIGTERM", replace=True))
            case Failed():
                pass

    def _on_ready(self, slot: WorkerSlot, message: Ready) -> None:
        slot.phase = WorkerPhase.READY
        slot.view.load = message.load
        cores = "" if not slot.spec.cores else f" on core {', '.join(map(str, slot.spec.cores))}"
        self._notify(f"{slot.name} is ready{cores} after {message.load_s:.1f} s")
        self._coordinator.worker_ready()
        self.spawn(self._announce())

    async def _announce(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _watch(self) -> None:
        while not self._stopping.is_set():
            now = self._clock.now()
            for slot in self._registry:
                self._check_pulse(slot, now)
            self._coordinator.tick()
            self.health.tick(now)
            await asyncio.sleep(_TICK_S)

    def _check_pulse(self, slot: WorkerSlot, now: float) -> None:
        limit = self._heartbeat_timeout_s if slot.is_serving else self._start_timeout_s
        if now - slot.last_heard > limit:
            slot.kill(f"it was silent for {now - slot.last_heard:.1f} s and was killed")
