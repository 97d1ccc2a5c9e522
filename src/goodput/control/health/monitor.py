"""Sends canary requests to idle workers and notices slow ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from goodput.control.health.slowness import Slowness
from goodput.control.registry import Registry, WorkerSlot
from goodput.core.operations_config import HealthConfig
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.workers.messages import Report, Submit

# A slow worker counts as well again below this share of the factor that made it slow.
_WELL_AGAIN: Final = 0.5
# A worker that has not computed for so long says nothing of its speed.
_FRESH_S: Final = 2.0
# Two workers in a row may be slow for one reason; replacing all at once would help nobody.
_BETWEEN_REPLACEMENTS_S: Final = 60.0


@dataclass(slots=True)
class _Pulse:
    """What the monitor remembers of one process. Times in monotonic seconds."""

    incarnation: int
    worked_at: float
    canary: str | None = None
    slow_since: float | None = None
    told: bool = False


class HealthMonitor:
    """Feed it every report, and the time a few times a second.

    A worker whose canary stays unanswered while it computes nothing else is killed, and replaced as
    after any death. ``replace(slot, why)`` is called for a worker that was ``slow_factor`` times
    slower than its peers, or its past, for ``slow_after_s``; it must drain it first.
    """

    def __init__(
        self,
        registry: Registry,
        config: HealthConfig,
        *,
        can_spare: Callable[[WorkerSlot], bool],
        replace: Callable[[WorkerSlot, str], None],
        notify: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._config = config
        self._can_spare = can_spare
        self._replace = replace
        self._notify = notify
        self._slowness = Slowness()
        self._pulses: dict[str, _Pulse] = {}
        self._last_replacement = float("-inf")
        self._serial = 0
        self.canaries: int = 0
        """How many canaries were answered."""

    def on_report(self, slot: WorkerSlot, report: Report, now: float) -> None:
        """Take in a worker's report before its deltas are looked at."""
        pulse = self._pulse(slot, now)
        if pulse.canary is not None and any(
            delta.request_id == pulse.canary and delta.finish_reason is not None
            for delta in report.deltas
        ):
            pulse.canary = None
            self.canaries += 1
        if report.cost is not None:
            pulse.worked_at = now
            self._slowness.observe(slot.name, report.cost)
            slot.slowdown = self._slowness.factor(slot.name)

    def tick(self, now: float) -> None:
        """Send what is due and judge."""
        for slot in self._registry:
            if slot.is_ready:
                pulse = self._pulse(slot, now)
                if self._config.canary_idle_s:
                    self._check_canary(slot, pulse, now)
                if self._config.slow_factor:
                    self._check_speed(slot, pulse, now)

    def _pulse(self, slot: WorkerSlot, now: float) -> _Pulse:
        pulse = self._pulses.get(slot.name)
        if pulse is None or pulse.incarnation != slot.incarnation:
            pulse = self._pulses[slot.name] = _Pulse(slot.incarnation, now)
            self._slowness.forget(slot.name)
            slot.slowdown = 1.0
        return pulse

    def _check_canary(self, slot: WorkerSlot, pulse: _Pulse, now: float) -> None:
        silent = now - pulse.worked_at
        if pulse.canary is not None:
            if silent > self._config.canary_idle_s + self._config.canary_timeout_s:
                slot.kill("it did not answer a canary request and was killed")
            return
        load = slot.view.load
        if silent >= self._config.canary_idle_s and not load.running and not load.waiting:
            self._serial += 1
            pulse.canary = f"canary-{self._serial}"
            # The wait for its answer counts from here.
            pulse.worked_at = now - self._config.canary_idle_s
            slot.send(Submit(_canary(pulse.canary, now)))

    def _check_speed(self, slot: WorkerSlot, pulse: _Pulse, now: float) -> None:
        factor = slot.slowdown
        if factor < self._config.slow_factor * _WELL_AGAIN:
            pulse.slow_since, pulse.told = None, False
        elif factor >= self._config.slow_factor and pulse.slow_since is None:
            pulse.slow_since = now
        if (
            pulse.slow_since is None
            or now - pulse.slow_since < self._config.slow_after_s
            or now - pulse.worked_at > _FRESH_S
        ):
            return
        why = f"its steps take {factor:.1f} times as long as they should"
        if self._can_spare(slot) and now - self._last_replacement >= _BETWEEN_REPLACEMENTS_S:
            self._last_replacement = now
            self._replace(slot, why)
        elif not pulse.told:
            pulse.told = True
            self._notify(f"{slot.name} is slow ({why}), but cannot be replaced now")


def _canary(name: str, now: float) -> GenerationRequest:
    """One token after a prompt of one: too small to be taken for a prompt's cost, or to cache."""
    return GenerationRequest(
        id=name,
        prompt=[0],
        sampling=SamplingParams(max_tokens=1, temperature=0.0),
        received=now,
    )
