"""The fleet: the KV pool, the workers, and the coordinator that makes them one Generator."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import count
from typing import Final

import msgspec

from goodput.control.coordinator import Coordinator
from goodput.control.dispatch import Dispatcher
from goodput.control.drainer import Drainer
from goodput.control.layout import available_cores, plan_slots
from goodput.control.lease_desk import LeaseDesk
from goodput.control.planner.planner import Planner
from goodput.control.registry import Registry, SlotSpec, SlotStatus, WorkerSlot
from goodput.control.supervisor import Supervisor
from goodput.core.clock import Clock, MonotonicClock
from goodput.core.config import DeploymentConfig
from goodput.core.errors import GoodputError
from goodput.core.request import GenerationRequest, TokenDelta
from goodput.kv.leases import LeaseTable
from goodput.kv.shared_pool import SharedPool
from goodput.router.router import Router
from goodput.workers.messages import Fault, Inspect, InspectReport, WorkerConfig

_RESTART_ALLOWANCE_S: Final = 60.0


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the fleet has to know of a model. ``path`` is None for the modelled engine.

    ``kv_folder`` is where KV blocks of this model may be kept on disk.
    """

    path: str | None
    vocab_size: int
    context_length: int
    bytes_per_block: int
    kv_folder: str = ""


class Fleet:
    """All workers of one host. Make it inside a running event loop; ``stop`` ends everything.

    ``faults`` (slot name → fault of its first process) and ``start_timeout_s`` are for tests.
    """

    def __init__(
        self,
        config: DeploymentConfig,
        model: ModelFacts,
        *,
        notify: Callable[[str], None] = lambda line: None,
        faults: Mapping[str, Fault] | None = None,
        start_timeout_s: float = 300.0,
        clock: Clock | None = None,
    ) -> None:
        """Raises UsageError when the host has no memory for the KV pool."""
        clock = clock or MonotonicClock()
        self._config = config
        self._model = model
        self._faults = dict(faults or {})
        specs = plan_slots(config, available_cores())
        self._pool_blocks = sum(spec.num_blocks for spec in specs)
        self._pool = SharedPool.create(self._pool_blocks, model.bytes_per_block)
        self.registry = Registry(
            [WorkerSlot(spec, config.engine) for spec in specs],
            conditional=config.router.conditional,
        )
        heartbeat = config.limits.heartbeat_timeout_s
        self._heartbeat_s = min(0.5, heartbeat / 4)
        patience = heartbeat + _RESTART_ALLOWANCE_S
        # The coordinator gives up first: a lease that nobody takes must not outlive its request.
        table = LeaseTable(ack_timeout_s=heartbeat, grant_timeout_s=patience + heartbeat)
        self.leases = LeaseDesk(self.registry, table, clock)
        router = Router(config.engine.block_size, config.router)
        self.coordinator = Coordinator(
            self.registry,
            router,
            self.leases,
            config.limits,
            clock,
            patience_s=patience,
            dispatcher=Dispatcher(self.registry, router, clock, config.router, config.admission),
        )
        self.drainer = Drainer(
            self.registry,
            self.coordinator,
            clock,
            grace_s=config.planner.drain_s,
            alone_s=config.limits.drain_timeout_s,
            notify=notify,
        )
        self._supervisor = Supervisor(
            self.registry,
            self.coordinator,
            self.leases,
            self.drainer,
            config.health,
            self._worker_config,
            clock,
            pool_fd=self._pool.fd,
            threads=config.engine.threads,
            heartbeat_timeout_s=heartbeat,
            start_timeout_s=start_timeout_s,
            notify=notify,
        )
        self.planner: Planner | None = None
        if config.planner.enabled:
            self.planner = self._make_planner(clock, notify)
        self._inspection_numbers = count()

    def start(self) -> None:
        """Start all workers; returns at once."""
        self._supervisor.start()
        if self.planner is not None:
            self._supervisor.spawn(self.planner.run(self._supervisor.sleep))

    async def wait_ready(self) -> None:
        """Wait until every worker is ready; raises GoodputError when one cannot start."""
        changed = self._supervisor.changed
        failed = asyncio.ensure_future(self.wait_failed())
        try:
            while not self.registry.all_ready():
                if failed.done():
                    raise failed.result()
                async with changed:
                    waiter = asyncio.ensure_future(changed.wait())
                    await asyncio.wait([waiter, failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            failed.cancel()

    async def wait_failed(self) -> GoodputError:
        """Wait until the fleet cannot go on (a worker never starts); the reason."""
        return await asyncio.shield(self._supervisor.failed)

    def generate(self, request: GenerationRequest) -> AsyncIterator[TokenDelta]:
        """See :class:`~goodput.core.request.Generator`."""
        return self.coordinator.generate(request)

    def begin_drain(self) -> None:
        """Refuse new requests from now on."""
        self.coordinator.draining = True

    def hold(self) -> None:
        """Change no worker's role and end none from now on: the server is about to stop."""
        self.drainer.held = True

    @property
    def canaries(self) -> int:
        """How many canary requests were answered."""
        return self._supervisor.health.canaries

    async def drained(self, timeout_s: float) -> bool:
        """Whether all requests in flight ended within ``timeout_s``."""
        try:
            await asyncio.wait_for(self.coordinator.idle(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End all requests with an error, all workers, and the pool. Idempotent."""
        self.coordinator.draining = True
        self.coordinator.fail_all("The server was stopped while it had the request.")
        await self._supervisor.stop()
        self._pool.close()

    async def inspect(self, name: str, timeout_s: float = 10.0) -> InspectReport:
        """Ask a worker for the state of its bookkeeping; raises TimeoutError when it is gone."""
        number = next(self._inspection_numbers)
        waiter: asyncio.Future[InspectReport] = asyncio.get_running_loop().create_future()
        self._supervisor.inspections[number] = waiter
        self.registry[name].send(Inspect(number))
        try:
            return await asyncio.wait_for(waiter, timeout_s)
        finally:
            self._supervisor.inspections.pop(number, None)

    def ready(self) -> bool:
        """Whether a whole path from prompt to answer has ready workers."""
        return self.registry.can_serve()

    def statuses(self) -> Sequence[SlotStatus]:
        """All slots, in start order."""
        return [slot.status() for slot in self.registry]

    def _make_planner(self, clock: Clock, notify: Callable[[str], None]) -> Planner:
        counts, config = self._config.workers, self._config.planner
        planner = Planner(
            self.registry,
            self.coordinator,
            self.drainer,
            config,
            clock,
            bounds=config.bounds(
                counts.prefill + counts.decode + counts.mixed, self._config.engine.threads
            ),
            max_sequences=self._config.engine.max_sequences,
            notify=notify,
        )
        self.coordinator.traffic = planner.traffic
        self._supervisor.listeners.append(planner.on_report)
        return planner

    def _worker_config(
        self, spec: SlotSpec, incarnation: int, reserved: Mapping[str, list[int]]
    ) -> WorkerConfig:
        config = self._config
        fault = self._faults.get(spec.name)
        return WorkerConfig(
            name=spec.name,
            role=spec.role,
            incarnation=incarnation,
            engine=config.engine,
            context_length=self._model.context_length,
            engine_kind=config.engine_kind,
            backend=config.chosen_backend,
            model_path=self._model.path,
            modelled=config.modelled,
            vocab_size=self._model.vocab_size,
            tiers=config.tiers,
            kv_folder=self._model.kv_folder,
            pool_fd=self._pool.fd,
            pool_blocks=self._pool_blocks,
            bytes_per_block=self._model.bytes_per_block,
            first_block=spec.first_block,
            num_blocks=spec.num_blocks,
            cores=spec.cores,
            reserved=dict(reserved),
            heartbeat_s=self._heartbeat_s,
            parent_pid=os.getpid(),
            fault=fault if fault is not None and (incarnation == 0 or fault.always) else None,
        )
