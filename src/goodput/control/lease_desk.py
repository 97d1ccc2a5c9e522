"""The lease table with its consequences: what it decides is sent, or killed, here."""

from __future__ import annotations

from collections.abc import Iterable

from goodput.control.registry import Registry
from goodput.core.clock import Clock
from goodput.kv.leases import Fence, Free, LeaseState, LeaseTable, Outcome, Transition
from goodput.workers.messages import FreeLease


class LeaseDesk:
    """Applies the actions of :class:`LeaseTable` to the workers of a registry.

    A ``Free`` for a slot without a process is dropped: its next process is told only about the
    leases that are still live when it starts.
    """

    def __init__(self, registry: Registry, table: LeaseTable, clock: Clock) -> None:
        self._registry = registry
        self._table = table
        self._clock = clock

    def __len__(self) -> int:
        return len(self._table)

    def check_invariants(self) -> None:
        """Raise InvariantError when the table contradicts itself."""
        self._table.check_invariants()

    def grant(self, lease_id: str, owner: str, blocks: Iterable[int]) -> bool:
        """The owner keeps the blocks for the lease; False when such a lease cannot be."""
        return self._apply(self._table.grant(lease_id, owner, blocks, self._clock.now()))

    def offer(self, lease_id: str, holder: str) -> bool:
        """Whether the holder may be sent the lease."""
        return self._apply(self._table.offer(lease_id, holder, self._clock.now()))

    def acknowledge(self, lease_id: str, holder: str) -> bool:
        """Whether the acknowledgement came in time for a live lease."""
        return self._apply(self._table.acknowledge(lease_id, holder))

    def withdraw(self, lease_id: str) -> None:
        """Free a lease that nobody was offered."""
        self._apply(self._table.release(lease_id, None))

    def release(self, lease_id: str, holder: str) -> None:
        """The holder reads the blocks no more."""
        self._apply(self._table.release(lease_id, holder))

    def worker_died(self, worker: str) -> None:
        """Its process is gone for sure."""
        self._apply(self._table.worker_died(worker))

    def worker_starts(self, worker: str) -> dict[str, list[int]]:
        """Lease id → blocks that the new process must reserve before it allocates."""
        transition = self._table.worker_started(worker)
        return {
            action.lease_id: list(action.blocks)
            for action in transition.actions
            if not isinstance(action, Free | Fence)
        }

    def expire(self) -> None:
        """Apply the deadlines; call it a few times a second."""
        self._apply(self._table.expire(self._clock.now()))

    def is_waiting(self, lease_id: str) -> bool:
        """Whether the lease is granted and nobody was offered it."""
        lease = self._table.get(lease_id)
        return lease is not None and lease.state is LeaseState.GRANTED

    def _apply(self, transition: Transition) -> bool:
        for action in transition.actions:
            if isinstance(action, Free):
                self._registry[action.owner].send(FreeLease(action.lease_id))
            elif isinstance(action, Fence):
                self._registry[action.worker].kill()
        return transition.outcome is Outcome.APPLIED
