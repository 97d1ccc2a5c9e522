"""The planner's hands: gathers what the policy sees, and carries out what it decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from goodput.control.coordinator import Coordinator
from goodput.control.drainer import Drainer
from goodput.control.planner.costs import StepCosts
from goodput.control.planner.needs import Load, needs_of
from goodput.control.planner.policy import Decision, Memory, Needs, Observation, Split, decide
from goodput.control.planner.traffic import TrafficWindow
from goodput.control.registry import Registry, WorkerPhase, WorkerSlot
from goodput.core.clock import Clock
from goodput.core.config import Role
from goodput.core.operations_config import PlannerConfig
from goodput.workers.messages import Report

_ROLES: Final[tuple[Role, ...]] = ("prefill", "decode", "mixed")


class Planner:
    """Fits the fleet's workers to its traffic.

    ``decisions`` counts (action, reason), those to leave things as they are included; ``flips``
    counts the roles that workers were given, the last of which took ``last_flip_s`` seconds.
    """

    def __init__(
        self,
        registry: Registry,
        coordinator: Coordinator,
        drainer: Drainer,
        config: PlannerConfig,
        clock: Clock,
        *,
        bounds: tuple[int, int],
        max_sequences: int,
        notify: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._coordinator = coordinator
        self._drainer = drainer
        self._config = config
        self._clock = clock
        self._bounds = bounds
        self._max_sequences = max_sequences
        self._notify = notify
        self._memory = Memory()
        self.traffic = TrafficWindow(config.window_s)
        self.costs = StepCosts()
        self.decisions: Counter[tuple[str, str]] = Counter()
        self.flips: Counter[str] = Counter()
        self.last_flip_s = 0.0
        self.needs: Needs | None = None

    def on_report(self, slot: WorkerSlot, report: Report) -> None:
        """Learn what a step cost."""
        if report.cost is not None:
            self.costs.observe(slot.name, slot.incarnation, report.cost)

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Look, decide and act, until the drainer is held; ``sleep`` (seconds) may end early."""
        while not self._drainer.held:
            await self.step()
            await sleep(self._config.interval_s)

    async def step(self) -> Decision:
        """One look at the fleet, and the change that it asks for, if any, carried out."""
        seen = self.observe()
        decision, self._memory = decide(seen, self._memory, self._config, self._bounds)
        if decision.role is not None and not await self._carry_out(decision, decision.role):
            decision = Decision("none", "not-possible-now")
        self.decisions[decision.action, decision.reason] += 1
        return decision

    def observe(self) -> Observation:
        """What the policy is to judge."""
        now = self._clock.now()
        slots = [slot for slot in self._registry if slot.wanted]
        split = Split(**{role: sum(slot.role == role for slot in slots) for role in _ROLES})
        traffic = self.traffic.traffic(now)
        decoding = [slot.view.load for slot in slots if slot.role != "prefill"]
        load = Load(
            queued_prompt_tokens=sum(slot.view.queued_tokens for slot in slots)
            + self._coordinator.dispatcher.waiting_tokens,
            decoding=sum(load.running + load.waiting for load in decoding),
        )
        self.needs = needs_of(traffic, load, self.costs, self._max_sequences)
        return Observation(
            at=now,
            split=split,
            settled=all(slot.is_ready for slot in slots),
            requests=traffic.requests,
            needs=self.needs,
            attainment=traffic.attainment,
            target=traffic.target,
        )

    async def _carry_out(self, decision: Decision, role: Role) -> bool:
        match decision.action:
            case "add":
                return self._add(role, decision.reason)
            case "remove":
                slot = self._least_busy(lambda slot: slot.role == role)
                return slot is not None and await self._drainer.leave(
                    slot, f"the planner needs fewer workers ({decision.reason})", replace=False
                )
        slot = self._least_busy(lambda slot: slot.role != role)
        if slot is None:
            return False
        before, began = slot.role, self._clock.now()
        if not await self._drainer.flip(slot, role):
            return False
        self.flips[role] += 1
        self.last_flip_s = self._clock.now() - began
        self._notify(f"{slot.name} turned from {before} to {role} ({decision.reason})")
        return True

    def _add(self, role: Role, reason: str) -> bool:
        for slot in self._registry:
            if slot.phase is WorkerPhase.STOPPED:
                slot.want(role)
                self._notify(f"{slot.name} is added as {role} ({reason})")
                return True
        return False

    def _least_busy(self, fits: Callable[[WorkerSlot], bool]) -> WorkerSlot | None:
        ready = [slot for slot in self._registry if slot.is_ready and fits(slot)]
        return min(ready, key=self._coordinator.holds, default=None)
