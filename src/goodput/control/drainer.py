"""Takes a live worker out of service without losing anything: to give it a role, or to end it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from goodput.control.coordinator import Coordinator
from goodput.control.registry import Registry, WorkerPhase, WorkerSlot
from goodput.core.clock import Clock
from goodput.core.config import Role
from goodput.workers.messages import SetRole, Stop

_POLL_S: Final = 0.005
_STOP_GRACE_S: Final = 2.0


class Drainer:
    """Drains one worker at a time, so that a signal to all of them is a rolling restart.

    A drained worker gets no new requests. What it decodes on blocks of its own is handed off after
    the next token, without a copy; the rest has ``grace_s`` to finish and then goes on elsewhere
    after the tokens already sent. Where no other workers could take it, it finishes here, within
    ``alone_s``.
    """

    def __init__(
        self,
        registry: Registry,
        coordinator: Coordinator,
        clock: Clock,
        *,
        grace_s: float,
        alone_s: float,
        notify: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._coordinator = coordinator
        self._clock = clock
        self._grace_s = grace_s
        self._alone_s = alone_s
        self._notify = notify
        self._turn = asyncio.Lock()
        self.held = False
        """Set when the fleet ends: nobody is drained any more."""

    def can_spare(self, slot: WorkerSlot) -> bool:
        """Whether the other ready workers can serve without it."""
        return self._registry.can_serve(without=slot)

    async def flip(self, slot: WorkerSlot, role: Role) -> bool:
        """Drain the worker and let it go on as ``role``; False when that cannot be now."""
        async with self._turn:
            if self.held or not slot.is_ready or not self.can_spare(slot):
                return False
            await self._drain(slot)
            # One that died meanwhile starts again as ``role``.
            slot.set_role(role)
            if slot.phase is WorkerPhase.DRAINING:
                slot.phase = WorkerPhase.READY
                self._coordinator.worker_ready()
            return True

    async def leave(self, slot: WorkerSlot, why: str, *, replace: bool) -> bool:
        """Drain the worker and end its process; another one takes its place if ``replace``.

        Without ``replace`` only a worker that can be spared leaves. False when nothing was done.
        """
        async with self._turn:
            alone = not self.can_spare(slot)
            if self.held or not slot.is_ready or (alone and not replace):
                return False
            self._notify(f"{slot.name} is drained: {why}")
            await self._drain(slot)
            slot.wanted = replace
            if slot.phase is WorkerPhase.DRAINING:
                slot.leaving = True
                slot.send(Stop())
                if not await self._until(lambda: not slot.is_serving, _STOP_GRACE_S):
                    slot.kill()
                    await self._until(lambda: not slot.is_serving, _STOP_GRACE_S)
            return True

    async def _drain(self, slot: WorkerSlot) -> None:
        alone = not self.can_spare(slot)
        slot.phase = WorkerPhase.DRAINING
        if not alone and slot.role != "prefill":
            slot.send(SetRole("prefill"))
        await self._until(
            lambda: slot.phase is not WorkerPhase.DRAINING or not self._coordinator.holds(slot),
            self._alone_s if alone else self._grace_s,
        )
        if slot.phase is WorkerPhase.DRAINING:
            self._coordinator.move_from(slot)

    async def _until(self, true: Callable[[], bool], seconds: float) -> bool:
        deadline = self._clock.now() + seconds
        while not (reached := true()) and self._clock.now() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        return reached
