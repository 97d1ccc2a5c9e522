"""What the control side of a fleet shows in /metrics: roles, decisions, flips, canaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from goodput.control.fleet import Fleet


class FleetMetrics(Collector):
    """Reads the fleet when a scrape asks; keeps nothing itself."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are fixed, but the fleet need not exist yet."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All families, at once."""
        workers = GaugeMetricFamily(
            "goodput_workers", "Workers by role and state.", labels=["role", "state"]
        )
        counts = Counter((slot.role, slot.phase.value) for slot in self._fleet.registry)
        for key, count in sorted(counts.items()):
            workers.add_metric(key, count)
        yield workers
        yield CounterMetricFamily(
            "goodput_canaries",
            "Canary requests that idle workers answered.",
            value=self._fleet.canaries,
        )
        yield CounterMetricFamily(
            "goodput_migrations",
            "Times that a request went on at another worker process than the one that had it.",
            value=self._fleet.coordinator.migrations,
        )
        yield from self._planner()

    def _planner(self) -> Iterable[Metric]:
        planner = self._fleet.planner
        if planner is None:
            return
        decisions = CounterMetricFamily(
            "goodput_planner_decisions",
            "The planner's looks at the fleet, by what it did and why.",
            labels=["action", "reason"],
        )
        for key, count in sorted(planner.decisions.items()):
            decisions.add_metric(key, count)
        yield decisions
        flips = CounterMetricFamily(
            "goodput_role_flips", "Workers given another role, by that role.", labels=["role"]
        )
        for role, count in sorted(planner.flips.items()):
            flips.add_metric([role], count)
        yield flips
        yield GaugeMetricFamily(
            "goodput_role_flip_seconds", "How long the last flip took.", value=planner.last_flip_s
        )
        needs = GaugeMetricFamily(
            "goodput_planner_needed_workers", "What the traffic needs, by role.", labels=["role"]
        )
        if planner.needs is not None:
            needs.add_metric(["prefill"], planner.needs.prefill)
            needs.add_metric(["decode"], planner.needs.decode)
        yield needs
