"""Workers, messages and fate around a real lease table: one small step at a time.

The world has what the table cannot see: what each owner keeps, what each holder is really reading,
and queues of messages in both directions. ``steps`` lists all that can happen next and ``take``
does one of them, so that an exploration can try every order and hypothesis can draw long ones.

The messages are those of workers/messages.py: a queue keeps its order, and what is in it when its
worker dies is lost, in whole or from some message on. The limits may allow what no socket does: a
single message that is lost, or one that the coordinator hears twice (a grant only once: leases that
ended are forgotten). A queue that nobody works on is a delay, or a worker that is stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from goodput.kv.leases import Action, Fence, Free, LeaseState, LeaseTable, Outcome, Quarantine

Step = tuple[str, ...]


class ProtocolError(AssertionError):
    """Something happened that the protocol is there to prevent."""


@dataclass(slots=True)
class Slot:
    """One worker: what it keeps for leases, what it reads, and its two queues."""

    alive: bool = True
    kept: set[str] = field(default_factory=set)
    reading: set[str] = field(default_factory=set)
    inbox: deque[tuple[str, str]] = field(default_factory=deque)
    outbox: deque[tuple[str, str]] = field(default_factory=deque)

    def copy(self) -> Slot:
        return Slot(
            self.alive, set(self.kept), set(self.reading), deque(self.inbox), deque(self.outbox)
        )

    def key(self) -> Hashable:
        kept, reading = tuple(sorted(self.kept)), tuple(sorted(self.reading))
        return (self.alive, kept, reading, tuple(self.inbox), tuple(self.outbox))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may happen; ``deaths`` None: any number. Any worker of ``owners`` makes a lease.

    ``losses`` messages of the kinds ``losable`` may be lost by themselves.
    """

    owners: tuple[str, ...]
    holders: tuple[str, ...]
    leases: int
    deaths: int | None = None
    losses: int = 0
    losable: tuple[str, ...] = ()
    repeats: int = 0
    gone_clients: bool = True

    @property
    def promises_no_leak(self) -> bool:
        """Whether nothing may be left: a lost hand-over is noticed in time, a lost end is not."""
        return set(self.losable) <= {"start", "ack", "cancel"}


class World:
    """Everything that the protocol's safety depends on; cheap to copy and to compare."""

    def __init__(self, limits: Limits, table: LeaseTable) -> None:
        self.limits = limits
        self.table = table
        self.slots = {name: Slot() for name in dict.fromkeys(limits.owners + limits.holders)}
        self.owner_of: dict[str, str] = {}
        self.to_kill: frozenset[str] = frozenset()
        self.unwanted: frozenset[str] = frozenset()
        self.deaths = self.losses = self.repeats = 0

    def copy(self) -> World:
        world = World.__new__(World)
        world.limits = self.limits
        world.table = copy_table(self.table)
        world.slots = {name: slot.copy() for name, slot in self.slots.items()}
        world.owner_of = dict(self.owner_of)
        world.to_kill, world.unwanted = self.to_kill, self.unwanted
        world.deaths, world.losses, world.repeats = self.deaths, self.losses, self.repeats
        return world

    def key(self) -> Hashable:
        """Equal for worlds with the same future."""
        table = self.table
        leases = tuple((x.id, x.owner, x.state, x.holder) for x in table._leases.values())
        return (
            tuple(sorted(leases, key=str)),
            frozenset(table._dead),
            frozenset(table._fenced),
            tuple(slot.key() for slot in self.slots.values()),
            tuple(self.owner_of.items()),
            (self.to_kill, self.unwanted),
            (self.deaths, self.losses, self.repeats),
        )

    def steps(self) -> Iterator[Step]:
        """What can happen next, fate included."""
        yield from self.progress()
        limits = self.limits
        for name, slot in self.slots.items():
            if slot.alive and (limits.deaths is None or self.deaths < limits.deaths):
                for said in range(len(slot.outbox) + 1):
                    yield ("die", name, str(said))
            if self.losses < limits.losses:
                for where, queue in (("out", slot.outbox), ("in", slot.inbox)):
                    if queue and queue[0][0] in limits.losable:
                        yield ("lose", name, where)
            if slot.outbox and slot.outbox[0][0] != "grant" and self.repeats < limits.repeats:
                yield ("hear twice", name)
        for lease_id in self.table._leases:  # Sensibly or not: most are refused.
            for holder in limits.holders:
                yield ("offer", lease_id, holder)
        for lease_id in self.owner_of:
            if limits.gone_clients and lease_id not in self.unwanted:
                yield ("client goes", lease_id)

    def progress(self) -> Iterator[Step]:
        """What goes on by itself, or by a clock. Without any of it the world is at rest."""
        limits = self.limits
        if len(self.owner_of) < limits.leases:
            for owner in limits.owners:
                if self.slots[owner].alive:
                    yield ("prompt done", owner)
        for name, slot in self.slots.items():
            if not slot.alive:
                yield ("start", name)
                continue
            if name in self.to_kill:
                for said in range(len(slot.outbox) + 1):
                    yield ("killed", name, str(said))
            if slot.inbox:
                yield ("work", name)
            if slot.outbox:
                yield ("hear", name)
            for lease_id in sorted(slot.reading):
                yield ("finish", name, lease_id)
        for lease in self.table._leases.values():
            if lease.state in (LeaseState.GRANTED, LeaseState.OFFERED):
                yield ("time passes", lease.id)

    def take(self, step: Step) -> None:
        """Do one step. Raises ProtocolError when the protocol has failed."""
        match step:
            case ("prompt done", owner):
                self._make_lease(owner)
            case ("work", name):
                self._work(name)
            case ("finish", name, lease_id):
                self._stop_reading(name, lease_id)
            case ("hear", name):
                self._hear(name, *self.slots[name].outbox.popleft())
            case ("hear twice", name):
                self.repeats += 1
                self._hear(name, *self.slots[name].outbox[0])
            case ("lose", name, "out"):
                self.losses += 1
                self.slots[name].outbox.popleft()
            case ("lose", name, _):
                self.losses += 1
                self.slots[name].inbox.popleft()
            case ("offer", lease_id, holder):
                if self.table.offer(lease_id, holder, 0.0).outcome is Outcome.APPLIED:
                    self.slots[holder].inbox.append(("start", lease_id))
            case ("client goes", lease_id):
                self._cancel(lease_id)
            case ("time passes", lease_id):
                self.table._leases[lease_id].deadline = -1.0
                self._apply(self.table.expire(0.0).actions)
            case ("die" | "killed", name, said):
                self.deaths += step[0] == "die" and self.limits.deaths is not None
                self._die(name, int(said))
            case ("start", name):
                self._start(name)
            case _:
                raise ValueError(step)
        self._check()

    def _make_lease(self, owner: str) -> None:
        lease_id = f"l{len(self.owner_of)}"
        self.owner_of[lease_id] = owner
        self.slots[owner].kept.add(lease_id)
        self.slots[owner].outbox.append(("grant", lease_id))

    def _work(self, name: str) -> None:
        """The engine's part: see Engine.release_lease, add_handed_over and cancel."""
        slot = self.slots[name]
        kind, lease_id = slot.inbox.popleft()
        if kind == "free":
            if lease_id not in slot.kept:
                raise ProtocolError(f"{name} frees {lease_id} a second time")
            slot.kept.remove(lease_id)
        elif kind == "start":
            slot.reading.add(lease_id)
            slot.outbox.append(("ack", lease_id))
        elif lease_id in slot.reading:
            self._stop_reading(name, lease_id)

    def _stop_reading(self, name: str, lease_id: str) -> None:
        self.slots[name].reading.remove(lease_id)
        self.slots[name].outbox.append(("release", lease_id))

    def _hear(self, name: str, kind: str, lease_id: str) -> None:
        """The coordinator's part."""
        if kind == "grant":
            self.table.grant(lease_id, name, [0], 0.0)
            if lease_id in self.unwanted:
                self._apply(self.table.release(lease_id, None).actions)
        elif kind == "ack":
            self.table.acknowledge(lease_id, name)
        else:
            self._apply(self.table.release(lease_id, name).actions)

    def _cancel(self, lease_id: str) -> None:
        self.unwanted |= {lease_id}
        lease = self.table.get(lease_id)
        if lease is not None and lease.holder is not None:
            self.slots[lease.holder].inbox.append(("cancel", lease_id))
        # Refused where there was an offer; asked all the same, as by a mistaken caller.
        self._apply(self.table.release(lease_id, None).actions)

    def _die(self, name: str, said: int) -> None:
        """Its first ``said`` messages were read before the news of its death; no others ever."""
        for _ in range(said):
            self._hear(name, *self.slots[name].outbox.popleft())
        self.slots[name] = Slot(alive=False)
        self.to_kill -= {name}
        self._apply(self.table.worker_died(name).actions)

    def _start(self, name: str) -> None:
        actions = self.table.worker_started(name).actions
        kept = {action.lease_id for action in actions if isinstance(action, Quarantine)}
        self.slots[name] = Slot(kept=kept)

    def _apply(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Fence):
                self.to_kill |= {action.worker}
            elif isinstance(action, Free):
                if action.owner != self.owner_of[action.lease_id]:
                    raise ProtocolError(f"{action.lease_id} is freed at {action.owner}")
                if self.slots[action.owner].alive:  # A slot without a process drops it.
                    self.slots[action.owner].inbox.append(("free", action.lease_id))

    def _check(self) -> None:
        self.table.check_invariants()
        for name, slot in self.slots.items():
            for lease_id in slot.reading:
                owner = self.slots[self.owner_of[lease_id]]
                # The blocks of a dead owner lie still until its next process allocates.
                if owner.alive and lease_id not in owner.kept:
                    raise ProtocolError(f"{name} reads blocks of {lease_id} that may be used again")

    def check_rest(self) -> None:
        """Raise ProtocolError when something is left although nothing will happen any more."""
        if len(self.table):
            raise ProtocolError(f"{len(self.table)} leases never end")
        for name, slot in self.slots.items():
            if slot.kept or slot.reading:
                raise ProtocolError(f"{name} keeps {slot.kept} and reads {slot.reading} for ever")


def copy_table(table: LeaseTable) -> LeaseTable:
    """A table of the same class that goes its own way."""
    copied = object.__new__(type(table))
    copied.__dict__ |= table.__dict__
    copied._leases = {key: replace(lease) for key, lease in table._leases.items()}
    copied._dead = set(table._dead)
    copied._fenced = set(table._fenced)
    return copied
