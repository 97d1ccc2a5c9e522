"""What the host knows of each worker slot, whichever process fills it at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from goodput.core.config import EngineConfig, Role
from goodput.router.policy import WorkerView
from goodput.workers.messages import SetRole, ToWorker, WorkerLoad


class Process(Protocol):
    """What fills a slot: a real process, or a simulated one."""

    complaint: str | None

    @property
    def pid(self) -> int: ...

    def send(self, message: ToWorker) -> None: ...

    def kill(self) -> None: ...


class WorkerPhase(Enum):
    """A slot's life. A dead one is being restarted unless it is not wanted, or the fleet stops.

    A draining worker gets no new requests; it finishes what it has, or hands it off.
    """

    DEAD = "lost"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """What a slot's next incarnation starts with; only the role ever changes.

    A slot that is not ``wanted`` has its range of KV blocks, but no process until the planner adds
    it.
    """

    name: str
    role: Role
    cores: tuple[int, ...] | None
    first_block: int
    num_blocks: int
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """A slot as operators see it. Each gauge has a stable name and a number."""

    name: str
    role: Role
    phase: WorkerPhase
    pid: int | None
    gauges: Mapping[str, float]


class WorkerSlot:
    """One slot: its spec, its current process, and what was last heard from it.

    Mutated by the supervisor (process, phase), the coordinator (view) and the drainer (phase of a
    live process, role, ``leaving``: its end is no loss); nobody else. ``last_heard`` is in
    monotonic seconds.
    """

    def __init__(self, spec: SlotSpec, engine: EngineConfig) -> None:
        self.spec = spec
        self.name = spec.name
        self._engine = engine
        self.phase = WorkerPhase.DEAD if spec.wanted else WorkerPhase.STOPPED
        self.wanted = spec.wanted
        self.wanted_again = asyncio.Event()
        self.leaving = False
        self.slowdown = 1.0
        self.process: Process | None = None
        self.incarnation = -1
        self.restarts = 0
        self.last_heard = 0.0
        self.view = self._new_view()

    @property
    def role(self) -> Role:
        """What its process does, or the next one will."""
        return self.spec.role

    @property
    def is_ready(self) -> bool:
        """Whether requests may be sent to it."""
        return self.phase is WorkerPhase.READY

    @property
    def is_serving(self) -> bool:
        """Whether a process works there, draining or not."""
        return self.phase in (WorkerPhase.READY, WorkerPhase.DRAINING)

    def set_role(self, role: Role) -> None:
        """From now on the slot works as ``role``; a running process is told."""
        self.spec = replace(self.spec, role=role)
        self.view.role = role
        self.send(SetRole(role))

    def want(self, role: Role) -> None:
        """Have the supervisor fill a stopped slot again."""
        self.set_role(role)
        self.wanted = True
        self.phase = WorkerPhase.DEAD
        self.wanted_again.set()

    def reset_view(self) -> None:
        """A new process knows nothing of what its predecessor had queued; speeds stay known."""
        old = self.view
        self.view = self._new_view()
        self.view.speeds = old.speeds

    def send(self, message: ToWorker) -> None:
        """Queue a message for the current process; dropped when there is none."""
        if self.process is not None:
            self.process.send(message)

    def kill(self, complaint: str | None = None) -> None:
        """SIGKILL the current process, if any; its death is reported by the supervisor.

        ``complaint`` is told to the operator as the reason.
        """
        if self.process is not None:
            if complaint is not None:
                self.process.complaint = complaint
            self.process.kill()

    def status(self) -> SlotStatus:
        """The slot as /health and /metrics show it."""
        load = self.view.load
        gauges = {
            "waiting_requests": load.waiting,
            "running_requests": load.running,
            "waiting_prefill_tokens": load.waiting_prefill_tokens,
            "free_kv_blocks": load.free_blocks,
            "kv_blocks": load.total_blocks,
            "restarts": self.restarts,
            "slowdown": self.slowdown,
            "prefill_seconds_per_token": self.view.speeds.prefill_token_s,
            "decode_step_seconds": self.view.speeds.decode_step_s,
            "drafted_tokens": load.drafted,
            "accepted_tokens": load.accepted,
            "kv_blocks_from_ram": load.from_ram,
            "kv_blocks_from_disk": load.from_disk,
        }
        pid = None if self.process is None else self.process.pid
        return SlotStatus(self.name, self.spec.role, self.phase, pid, gauges)

    def _new_view(self) -> WorkerView:
        return WorkerView(
            name=self.spec.name,
            role=self.spec.role,
            max_sequences=self._engine.max_sequences,
            chunk_tokens=self._engine.saturation_tokens,
            load=WorkerLoad(free_blocks=self.spec.num_blocks, total_blocks=self.spec.num_blocks),
        )


class Registry:
    """All slots of a fleet, in start order."""

    def __init__(self, slots: list[WorkerSlot], *, conditional: bool = False) -> None:
        """``conditional``: every worker can serve a request alone, whatever its role."""
        self._conditional = conditional
        self._slots = {slot.name: slot for slot in slots}

    def __iter__(self) -> Iterator[WorkerSlot]:
        return iter(self._slots.values())

    def __getitem__(self, name: str) -> WorkerSlot:
        return self._slots[name]

    def ready_views(self) -> list[WorkerView]:
        """Views of the workers that take requests."""
        return [slot.view for slot in self._slots.values() if slot.phase is WorkerPhase.READY]

    def can_serve(self, without: WorkerSlot | None = None) -> bool:
        """Whether a whole path from prompt to answer is ready, that one worker left out."""
        roles = {slot.role for slot in self if slot.is_ready and slot is not without}
        if self._conditional:
            return bool(roles)
        return "mixed" in roles or roles >= {"prefill", "decode"}

    def all_ready(self) -> bool:
        """Whether every slot that is wanted is ready."""
        return all(slot.is_ready for slot in self if slot.wanted)
