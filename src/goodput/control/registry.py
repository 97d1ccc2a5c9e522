"""What the host knows of each worker slot, whichever process fills it at the moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from goodput.core.config import EngineConfig, Role
from goodput.router.policy import WorkerView
from goodput.workers.launch import WorkerProcess
from goodput.workers.messages import ToWorker, WorkerLoad


class WorkerPhase(Enum):
    """A slot's life. A dead one is being restarted unless the fleet is stopping."""

    DEAD = "lost"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """What stays the same over a slot's incarnations: its role, cores and range of KV blocks."""

    name: str
    role: Role
    cores: tuple[int, ...] | None
    first_block: int
    num_blocks: int


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

    Mutated by the supervisor (process, phase) and the coordinator (view); nobody else.
    ``last_heard`` is in monotonic seconds.
    """

    def __init__(self, spec: SlotSpec, engine: EngineConfig) -> None:
        self.spec = spec
        self.name = spec.name
        self._engine = engine
        self.phase = WorkerPhase.DEAD
        self.process: WorkerProcess | None = None
        self.incarnation = -1
        self.restarts = 0
        self.last_heard = 0.0
        self.view = self._new_view()

    @property
    def is_ready(self) -> bool:
        """Whether requests may be sent to it."""
        return self.phase is WorkerPhase.READY

    def reset_view(self) -> None:
        """A new process knows nothing of what its predecessor had queued; speeds stay known."""
        old = self.view
        self.view = self._new_view()
        self.view.seconds_per_prefill_token = old.seconds_per_prefill_token
        self.view.decode_step_s = old.decode_step_s

    def send(self, message: ToWorker) -> None:
        """Queue a message for the current process; dropped when there is none."""
        if self.process is not None:
            self.process.send(message)

    def kill(self) -> None:
        """SIGKILL the current process, if any; its death is reported by the supervisor."""
        if self.process is not None:
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
            "prefill_seconds_per_token": self.view.seconds_per_prefill_token,
            "decode_step_seconds": self.view.decode_step_s,
        }
        pid = None if self.process is None else self.process.pid
        return SlotStatus(self.name, self.spec.role, self.phase, pid, gauges)

    def _new_view(self) -> WorkerView:
        return WorkerView(
            name=self.spec.name,
            role=self.spec.role,
            max_sequences=self._engine.max_sequences,
            token_budget=self._engine.token_budget,
            load=WorkerLoad(free_blocks=self.spec.num_blocks, total_blocks=self.spec.num_blocks),
        )


class Registry:
    """All slots of a fleet, in start order."""

    def __init__(self, slots: list[WorkerSlot]) -> None:
        self._slots = {slot.name: slot for slot in slots}

    def __iter__(self) -> Iterator[WorkerSlot]:
        return iter(self._slots.values())

    def __getitem__(self, name: str) -> WorkerSlot:
        return self._slots[name]

    def ready_views(self) -> list[WorkerView]:
        """Views of the workers that take requests."""
        return [slot.view for slot in self._slots.values() if slot.phase is WorkerPhase.READY]

    def can_serve(self) -> bool:
        """Whether a whole path from prompt to answer is ready."""
        roles = {slot.spec.role for slot in self._slots.values() if slot.is_ready}
        return "mixed" in roles or roles >= {"prefill", "decode"}

    def all_ready(self) -> bool:
        """Whether every slot is ready."""
        return all(slot.is_ready for slot in self._slots.values())
