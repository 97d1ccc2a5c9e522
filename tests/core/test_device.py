"""Which devices a deployment may ask for, and what the backend is then."""

from __future__ import annotations

import pytest

from goodput.core.config import Backend, DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.errors import UsageError

ON_GPU = EngineConfig(device="cuda")
ONE_MIXED = WorkerCounts(prefill=0, decode=0, mixed=1)


def test_the_backend_follows_the_device_unless_it_is_named() -> None:
    assert DeploymentConfig().chosen_backend == "cpu"
    assert DeploymentConfig(backend="torch").chosen_backend == "torch"
    on_gpu = DeploymentConfig(engine=ON_GPU, workers=ONE_MIXED)
    on_gpu.check()
    assert on_gpu.chosen_backend == "torch"


@pytest.mark.parametrize(
    ("backend", "workers", "sentence"),
    [
        ("cpu", ONE_MIXED, "backend cpu cannot run on engine.device cuda"),
        (None, WorkerCounts(), "engine.device cuda serves with one mixed worker"),
        (None, WorkerCounts(mixed=1), "engine.device cuda serves with one mixed worker"),
        (None, WorkerCounts(prefill=0, decode=0, mixed=2), "engine.device cuda serves with one"),
    ],
)
def test_what_a_gpu_cannot_serve_is_refused_by_name(
    backend: Backend | None, workers: WorkerCounts, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        DeploymentConfig(engine=ON_GPU, backend=backend, workers=workers).check()
    assert "\n" not in caught.value.message
