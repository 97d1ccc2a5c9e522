"""Who may read which blocks while a sequence moves from a prefill to a decode worker.

One :class:`LeaseTable` per host, driven by the coordinator, whose order of events is the truth::

    grant -> GRANTED -> offer -> OFFERED -> acknowledge -> HELD -> release -> gone
                                    |  no acknowledgement in time
                                    +-> FENCING -> the holder's death -> gone

The owner (a prefill worker) keeps the blocks referenced until it gets ``Free``. It gets that only
once no live process can be reading them: when the holder said so, or when it is known to be dead.
A holder that does not acknowledge may be reading all the same, so it is killed first (``Fence``).
An owner's death frees nothing that a live holder may read: the memory belongs to the host, and the
owner's next life starts with these blocks reserved (``Quarantine``).

Pure logic: events in, actions out, no clock and no I/O. Workers are named by their slot; the
caller drops messages of a slot's former lives before they get here. Events that come twice, late
or for unknown leases change nothing and say so in the :class:`Outcome`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from goodput.kv.invariants import require


class LeaseState(Enum):
    """Where a live lease stands; released leases are forgotten."""

    GRANTED = "granted"
    OFFERED = "offered"
    HELD = "held"
    FENCING = "fencing"


class Outcome(Enum):
    """What an event did. Only APPLIED changed anything."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    """It had been applied before."""
    UNKNOWN = "unknown"
    """No such live lease: it was released, it expired, or it never was."""
    LATE = "late"
    """An acknowledgement after its deadline: the holder is being killed."""
    REFUSED = "refused"
    """Not allowed in this state, or for this worker (dead, being killed, another's lease)."""


@dataclass(frozen=True, slots=True)
class Free:
    """Tell ``owner`` that it may drop the references it keeps for ``lease_id``."""

    owner: str
    lease_id: str


@dataclass(frozen=True, slots=True)
class Fence:
    """Kill ``worker``, confirm its death, then report ``worker_died``."""

    worker: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The starting ``owner`` must reserve ``blocks`` under ``lease_id`` before it allocates."""

    owner: str
    blocks: tuple[int, ...]
    lease_id: str


Action = Free | Fence | Quarantine


@dataclass(frozen=True, slots=True)
class Transition:
    """What an event did, and what the caller must now do, in this order."""

    outcome: Outcome
    actions: tuple[Action, ...] = ()


@dataclass(slots=True)
class Lease:
    """One live lease. ``deadline`` (clock seconds) bounds GRANTED and OFFERED only."""

    id: str
    owner: str
    blocks: tuple[int, ...]
    state: LeaseState
    deadline: float
    holder: str | None = None


class LeaseTable:
    """All live leases of a host. Not thread-safe: one coordinator calls it."""

    def __init__(self, *, ack_timeout_s: float = 5.0, grant_timeout_s: float = 60.0) -> None:
        """``ack_timeout_s`` bounds an offer, ``grant_timeout_s`` the wait for an offer."""
        self._ack_timeout_s = ack_timeout_s
        self._grant_timeout_s = grant_timeout_s
        self._leases: dict[str, Lease] = {}
        self._dead: set[str] = set()
        self._fenced: set[str] = set()

    def __len__(self) -> int:
        return len(self._leases)

    def get(self, lease_id: str) -> Lease | None:
        """The live lease of that id, to be read only."""
        return self._leases.get(lease_id)

    def grant(self, lease_id: str, owner: str, blocks: Iterable[int], now: float) -> Transition:
        """``owner`` finished a prompt and keeps ``blocks`` referenced for this new lease.

        A lease whose request has ended meanwhile is granted all the same, then released.
        """
        if lease_id in self._leases:
            return Transition(Outcome.DUPLICATE)
        if owner in self._dead:
            return Transition(Outcome.REFUSED)
        self._leases[lease_id] = Lease(
            lease_id, owner, tuple(blocks), LeaseState.GRANTED, now + self._grant_timeout_s
        )
        return Transition(Outcome.APPLIED)

    def offer(self, lease_id: str, holder: str, now: float) -> Transition:
        """Record that ``holder`` is about to be sent the lease; send it only when APPLIED."""
        lease = self._leases.get(lease_id)
        if lease is None:
            return Transition(Outcome.UNKNOWN)
        if lease.state is not LeaseState.GRANTED:
            return Transition(
                Outcome.DUPLICATE if lease.holder == holder else Outcome.REFUSED,
            )
        if holder in self._dead or holder in self._fenced or holder == lease.owner:
            return Transition(Outcome.REFUSED)
        lease.state = LeaseState.OFFERED
        lease.holder = holder
        lease.deadline = now + self._ack_timeout_s
        return Transition(Outcome.APPLIED)

    def acknowledge(self, lease_id: str, holder: str) -> Transition:
        """``holder`` took the lease: from now on only its word or its death ends it."""
        lease = self._leases.get(lease_id)
        if lease is None:
            return Transition(Outcome.UNKNOWN)
        if lease.holder != holder:
            return Transition(Outcome.REFUSED)
        if lease.state is LeaseState.OFFERED:
            lease.state = LeaseState.HELD
            return Transition(Outcome.APPLIED)
        late = lease.state is LeaseState.FENCING
        return Transition(Outcome.LATE if late else Outcome.DUPLICATE)

    def release(self, lease_id: str, holder: str | None) -> Transition:
        """End a lease on the word of its ``holder``, which does not read the blocks any more.

        ``holder=None`` is the coordinator's own decision, possible only before an offer: after it,
        a cancelled request is first cancelled at the holder.
        """
        lease = self._leases.get(lease_id)
        if lease is None:
            return Transition(Outcome.UNKNOWN)
        if lease.holder != holder:
            return Transition(Outcome.REFUSED)
        return Transition(Outcome.APPLIED, tuple(self._end(lease)))

    def worker_died(self, worker: str) -> Transition:
        """``worker`` is known not to run any more. Ends all leases that it held.

        Leases that it owned and nobody was offered are forgotten; the others stay until their
        holders end them, and ``worker_started`` returns what is left of them.
        """
        if worker in self._dead:
            return Transition(Outcome.DUPLICATE)
        self._dead.add(worker)
        self._fenced.discard(worker)
        actions: list[Action] = []
        for lease in list(self._leases.values()):
            orphan = lease.owner == worker and lease.holder is None
            if lease.holder == worker or orphan:
                actions += self._end(lease)
        return Transition(Outcome.APPLIED, tuple(actions))

    def worker_started(self, worker: str) -> Transition:
        """Call it when a worker's process is about to be started, before it can allocate.

        Returns a Quarantine for each lease of its former life that is still live. A ``Free`` for
        them that comes later is sent to the new process. Also right for a worker's first start.
        """
        involved = [x for x in self._leases.values() if worker in (x.owner, x.holder)]
        if worker not in self._dead and involved:
            return Transition(Outcome.REFUSED)
        self._dead.discard(worker)
        return Transition(
            Outcome.APPLIED, tuple(Quarantine(worker, lease.blocks, lease.id) for lease in involved)
        )

    def expire(self, now: float) -> Transition:
        """Apply the deadlines; call it every second or so. O(live leases).

        An offer without acknowledgement fences its holder (one ``Fence`` a worker). A lease that
        nobody was offered in time is freed; its request starts over.
        """
        actions: list[Action] = []
        for lease in list(self._leases.values()):
            if now < lease.deadline:
                continue
            if lease.state is LeaseState.GRANTED:
                actions += self._end(lease)
            elif lease.state is LeaseState.OFFERED and lease.holder is not None:
                lease.state = LeaseState.FENCING
                if lease.holder not in self._fenced:
                    self._fenced.add(lease.holder)
                    actions.append(Fence(lease.holder))
        return Transition(Outcome.APPLIED, tuple(actions))

    def check_invariants(self) -> None:
        """Raise InvariantError when a lease has a state that no sequence of events allows."""
        for lease in self._leases.values():
            granted = lease.state is LeaseState.GRANTED
            name = f"lease {lease.id} of {lease.owner}"
            require(granted == (lease.holder is None), f"{name} is {lease.state} by {lease.holder}")
            require(lease.holder not in self._dead, f"{name} is held by the dead {lease.holder}")
            require(not (granted and lease.owner in self._dead), f"{name} outlived its owner")
            require(lease.holder != lease.owner, f"{name} is held by its owner")
            fencing = lease.state is LeaseState.FENCING
            require(not fencing or lease.holder in self._fenced, f"{name} fences nobody")
        require(not self._dead & self._fenced, "a dead worker is still being killed")

    def _end(self, lease: Lease) -> list[Action]:
        del self._leases[lease.id]
        # A dead owner has no references left to drop.
        return [] if lease.owner in self._dead else [Free(lease.owner, lease.id)]
