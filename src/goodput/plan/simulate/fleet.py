"""A simulated fleet: the coordinator, router, queue, leases and engines that serve, in one process.

Only three things are not what serves: the clock, which jumps from event to event; the executor,
which takes the time of a profile; and the messages, which arrive by an event instead of a socket.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Final

from msgspec.structs import replace

from goodput.control.coordinator import Coordinator
from goodput.control.dispatch import Dispatcher
from goodput.control.layout import plan_slots
from goodput.control.lease_desk import LeaseDesk
from goodput.control.registry import Registry, WorkerPhase, WorkerSlot
from goodput.core.clock import ManualClock
from goodput.core.config import DeploymentConfig
from goodput.core.errors import UsageError
from goodput.kv.leases import LeaseTable
from goodput.plan.profile.schema import Link, Profile, StepLoad, WorkerProfile
from goodput.plan.simulate.worker import SimulatedWorker
from goodput.router.router import Router
from goodput.workers.messages import FromWorker, LeaseAck, Report, StartDecode, ToWorker

_TICK_S: Final = 0.1
_PATIENCE_S: Final = 3600.0

NoteStep = Callable[[str, float, float, StepLoad], None]


class SimulatedFleet:
    """Workers of ``config`` with the step times of ``profile``; owns the clock.

    ``engine.threads`` of the configuration says how many accelerators a worker has. ``link`` is the
    way of KV from a prefill to a decode worker: the blocks of a hand-off arrive after its time.
    ``note_step`` is told of every step: worker, start, end, what it computed. Without it, steps
    between which nothing is decided are played as one. ``sessions``: an answer's end may bring a
    new request, so it counts as a decision.
    """

    def __init__(
        self,
        config: DeploymentConfig,
        profile: Profile,
        *,
        link: Link,
        seed: int = 0,
        note_step: NoteStep | None = None,
        sessions: bool = False,
    ) -> None:
        """Raises UsageError for a deployment that cannot be simulated."""
        config.check()
        if config.planner.enabled:
            raise UsageError("planner.enabled: a simulation has a fixed set of workers")
        # Guesses depend on texts, which a simulation has not.
        engine = replace(
            config.engine,
            speculative_tokens=0,
            context_length=config.engine.context_length or profile.context_length,
        )
        worker_profile = worker_of(profile, config.engine.threads)
        self.clock = ManualClock()
        self._link = link
        self._kv_bytes = profile.kv_bytes_per_token * engine.block_size
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._decisive: list[float] = []
        self._sessions = sessions
        self._until = 0.0
        self._awake: dict[str, float] = {}
        self._ticking = config.admission == "slo"
        slots = [WorkerSlot(spec, engine) for spec in plan_slots(config, ())]
        self.registry = Registry(slots, conditional=config.router.conditional)
        self.leases = LeaseDesk(
            self.registry,
            LeaseTable(ack_timeout_s=_PATIENCE_S, grant_timeout_s=2 * _PATIENCE_S),
            self.clock,
        )
        router = Router(engine.block_size, config.router)
        self.coordinator = Coordinator(
            self.registry,
            router,
            self.leases,
            replace(config.limits, max_pending=2**31),
            self.clock,
            patience_s=_PATIENCE_S,
            dispatcher=Dispatcher(
                self.registry, router, self.clock, config.router, config.admission
            ),
        )
        self._handing_over = [slot.name for slot in slots if slot.spec.role == "prefill"]
        self.workers: list[SimulatedWorker] = []
        for slot in slots:
            spec = slot.spec
            worker = SimulatedWorker(
                spec.name,
                spec.role,
                engine,
                worker_profile,
                first_block=spec.first_block,
                num_blocks=spec.num_blocks,
                seed=seed,
                post=self._post,
                deliver=self._deliverer(slot),
                speeds=slot.view.speeds,
                horizon=self._horizon,
                note_step=_named(note_step, spec.name),
            )
            slot.process = worker
            slot.phase = WorkerPhase.READY
            self.workers.append(worker)

    def at(self, time: float, act: Callable[[], None], *, decisive: bool = True) -> None:
        """Have something done at ``time`` (seconds, not before now).

        Not ``decisive``: it tells no worker anything and brings no request.
        """
        heapq.heappush(self._events, (time, next(self._order), act))
        if decisive:
            heapq.heappush(self._decisive, time)

    def run(self, until: float) -> None:
        """Play events until none is left, or ``until`` has come."""
        self._until = until
        if self._ticking:
            self.at(self.clock.now(), self._tick)
        events = self._events
        while events and events[0][0] <= until:
            time, _, act = heapq.heappop(events)
            self.clock.advance_to(time)
            act()

    def check_whole(self) -> None:
        """Raise InvariantError unless every block is back and every lease ended."""
        self.leases.check_invariants()
        for worker in self.workers:
            worker.engine.check_invariants()

    def _horizon(self) -> float:
        """Until when nothing can come to a worker that has nobody waiting."""
        if self.coordinator.dispatcher.waiting:
            return self.clock.now()
        while self._decisive and self._decisive[0] < self.clock.now():
            heapq.heappop(self._decisive)
        # A worker that computes prompts, and is about to, hands one over at an unknown time.
        computing = [self._awake[name] for name in self._handing_over if name in self._awake]
        return min([self._until, *self._decisive[:1], *computing])

    def _post(self, worker: SimulatedWorker, message: ToWorker) -> None:
        delay = 0.0
        if isinstance(message, StartDecode):
            delay = self._link.seconds(len(message.blocks) * self._kv_bytes)

        def arrive() -> None:
            worker.hear(message)
            self._wake(worker, max(self.clock.now(), worker.free_at))

        self.at(self.clock.now() + delay, arrive)

    def _wake(self, worker: SimulatedWorker, time: float) -> None:
        if self._awake.get(worker.name, float("inf")) <= time:
            return  # It will look by then.
        self._awake[worker.name] = time

        def act() -> None:
            if self._awake.get(worker.name) != time:
                return  # Something woke it earlier.
            del self._awake[worker.name]
            following = worker.turn(self.clock.now())
            if following is not None:
                self._wake(worker, following)

        self.at(time, act, decisive=False)

    def _deliverer(self, slot: WorkerSlot) -> Callable[[float, FromWorker], None]:
        def deliver(time: float, message: FromWorker) -> None:
            if isinstance(message, Report):
                report = message
                tells = bool(self._sessions or report.handoffs or report.released_leases)
                self.at(time, lambda: self.coordinator.on_report(slot, report), decisive=tells)
            elif isinstance(message, LeaseAck):
                ack = message
                self.at(time, lambda: self.coordinator.on_ack(slot, ack), decisive=False)

        return deliver

    def _tick(self) -> None:
        self.coordinator.tick()
        if self._events:
            self.at(self.clock.now() + _TICK_S, self._tick)


def _named(note: NoteStep | None, name: str) -> Callable[[float, float, StepLoad], None] | None:
    if note is None:
        return None
    return lambda start, end, load: note(name, start, end, load)


def worker_of(profile: Profile, accelerators: int) -> WorkerProfile:
    """The way to run a worker on so many accelerators (cores); UsageError lists those there are."""
    for worker in profile.workers:
        if worker.accelerators == accelerators:
            return worker
    known = sorted({worker.accelerators for worker in profile.workers})
    raise UsageError(
        f"engine.threads is {accelerators}, but the profile {profile.name} has workers of "
        f"{', '.join(map(str, known))} (cores or accelerators)"
    )
