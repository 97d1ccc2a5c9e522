"""An executor that also says what its last step cost: the router's estimates come from here."""

from __future__ import annotations

from goodput.core.clock import Clock
from goodput.core.speeds import StepCost
from goodput.engine.executor import Executor, Sampled, StepPlan


class MeteredExecutor:
    """Wraps an executor; ``take`` gives the cost of the step since the last ``take``."""

    def __init__(self, inner: Executor, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._cost: StepCost | None = None

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        """Compute the plan with the inner executor, timed."""
        began = self._clock.now()
        sampled = self._inner.execute(plan)
        seconds = self._clock.now() - began
        self._cost = StepCost(seconds, *plan.by_phase())
        return sampled

    def take(self) -> StepCost | None:
        """The last step's cost; None when nothing was computed."""
        cost, self._cost = self._cost, None
        return cost
