"""Prometheus metrics of the frontend and, at each scrape, of the workers."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from goodput.frontend.gate import Gate
from goodput.frontend.ports import FleetStatus
from goodput.frontend.report import Report

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.2, 0.5, 1.0, 5.0)
_LONG = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_TINY = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)


class Metrics:
    """All figures of one app, in a registry of its own so that two apps never collide."""

    def __init__(self, gate: Gate, fleet: FleetStatus) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "goodput_requests",
            "Requests by endpoint and HTTP status; 499 is a client that left.",
            ["endpoint", "status"],
            registry=registry,
        )
        in_flight = Gauge(
            "goodput_sequences_in_flight",
            "Sequences that were let in and have not ended.",
            registry=registry,
        )
        in_flight.set_function(lambda: gate.pending)
        self._ttft = Histogram(
            "goodput_time_to_first_token_seconds",
            "From the request's arrival to its first token.",
            buckets=_LONG,
            registry=registry,
        )
        self.token_gap = Histogram(
            "goodput_inter_token_latency_seconds",
            "Between consecutive tokens of one sequence.",
            buckets=_SHORT,
            registry=registry,
        )
        self._e2e = Histogram(
            "goodput_request_duration_seconds",
            "From a completed request's arrival to the end of its answer.",
            buckets=_LONG,
            registry=registry,
        )
        self._handoff = Histogram(
            "goodput_handoff_seconds",
            "From a prefill worker's first token to the decode worker's acceptance.",
            buckets=_TINY,
            registry=registry,
        )
        self._prompt = Counter("goodput_prompt_tokens", "Tokens of prompts.", registry=registry)
        self._generated = Counter(
            "goodput_generated_tokens", "Tokens of answers, unfinished ones too.", registry=registry
        )
        self._cached = Counter(
            "goodput_cached_tokens", "Prompt tokens found in a cache.", registry=registry
        )
        self._slo = Counter(
            "goodput_slo_requests",
            "Requests that carried an SLO, by whether it was met; failures missed.",
            ["outcome"],
            registry=registry,
        )
        self._spans = Counter(
            "goodput_span_seconds", "Time of completed requests.", ["span"], registry=registry
        )
        registry.register(_WorkerGauges(fleet))

    def request_ended(self, endpoint: str, status: int) -> None:
        """Count one request under the status that it ended with."""
        self._requests.labels(endpoint, str(status)).inc()

    def slo_judged(self, met: bool) -> None:
        """Count one request with an SLO."""
        self._slo.labels("met" if met else "missed").inc()

    def generated(self, tokens: int) -> None:
        """Count tokens of answers, complete or not."""
        self._generated.inc(tokens)

    def completed(self, report: Report) -> None:
        """Add a complete answer's figures."""
        self._prompt.inc(report.prompt_tokens)
        self._cached.inc(report.cached_tokens)
        self._e2e.observe(report.e2e)
        if report.ttft is not None:
            self._ttft.observe(report.ttft)
        if report.handoff is not None:
            self._handoff.observe(report.handoff)
        for name in report.spans.__struct_fields__:
            self._spans.labels(name).inc(max(0.0, getattr(report.spans, name)))

    def render(self) -> bytes:
        """The text exposition of all of it."""
        return generate_latest(self.registry)


class _WorkerGauges(Collector):
    """Reads the workers when a scrape asks, so that nothing is kept up to date in between."""

    def __init__(self, fleet: FleetStatus) -> None:
        self._fleet = fleet

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # the names depend on the workers, and the fleet need not exist yet

    def collect(self) -> Iterable[GaugeMetricFamily]:
        labels = ["worker", "role"]
        up = GaugeMetricFamily("goodput_worker_up", "Whether the worker is ready.", labels=labels)
        families = {"up": up}
        for worker in self._fleet.workers():
            key = [worker.name, worker.role]
            up.add_metric(key, float(worker.state == "ready"))
            for name, value in worker.gauges.items():
                family = families.setdefault(
                    name,
                    GaugeMetricFamily(
                        f"goodput_worker_{name}", f"The worker's {name}.", labels=labels
                    ),
                )
                family.add_metric(key, value)
        return families.values()
