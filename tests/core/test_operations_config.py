"""The planner's and the health checks' fields are checked by name."""

from __future__ import annotations

from typing import Any

import pytest

from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.errors import UsageError
from goodput.core.operations_config import HealthConfig, PlannerConfig

FOUR = WorkerCounts(prefill=2, decode=2)


@pytest.mark.parametrize(
    ("counts", "fields", "said"),
    [
        (FOUR, {"max_workers": 3}, "workers has 4, but .* allow 4 to 3"),
        (FOUR, {"min_workers": 1}, "planner.min_workers must be at least 2"),
        (FOUR, {"cores": 3}, "planner.cores allow 4 to 3"),
        (FOUR, {"low": 0.9}, "planner.low"),
        (FOUR, {"interval_s": 0.0}, "planner.interval_s"),
        (FOUR, {"window_s": float("nan")}, "planner.window_s"),
        (FOUR, {"margin": 1.0}, "planner.margin"),
        (
            WorkerCounts(prefill=1, decode=1, mixed=1),
            {},
            "planner.enabled needs prefill and decode",
        ),
    ],
)
def test_a_planner_that_cannot_work(counts: WorkerCounts, fields: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        DeploymentConfig(workers=counts, planner=PlannerConfig(enabled=True, **fields)).check()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"slow_factor": 1.0}, "health.slow_factor"),
        ({"canary_timeout_s": 0.0}, "health.canary_timeout_s"),
        ({"canary_idle_s": -1.0}, "health.canary_idle_s"),
    ],
)
def test_health_checks_that_cannot_work(fields: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        DeploymentConfig(health=HealthConfig(**fields)).check()


def test_cores_bound_the_workers() -> None:
    config = PlannerConfig(enabled=True, min_workers=2, max_workers=16, cores=8)
    assert config.bounds(4, 2) == (2, 4)
    assert PlannerConfig(enabled=True).bounds(4, 1) == (4, 4)
    DeploymentConfig(workers=FOUR, engine=EngineConfig(threads=2), planner=config).check()
