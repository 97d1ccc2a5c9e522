"""Tiers that cannot work are refused by the field's name."""

from __future__ import annotations

from typing import Any

import pytest

from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.errors import UsageError
from goodput.core.tiers_config import TiersConfig


@pytest.mark.parametrize(
    ("tiers", "engine", "said"),
    [
        ({"ram_mb": -1}, {}, "tiers.ram_mb must lie in"),
        ({"disk_mb": 2**40}, {}, "tiers.disk_mb must lie in"),
        ({"folder": "x"}, {}, "tiers.folder is of no use without tiers.disk_mb"),
        ({"ram_mb": 1}, {"prefix_cache": False}, "engine.prefix_cache: true"),
        ({"ram_mb": 1}, {"device": "cuda"}, "not on engine.device cuda"),
    ],
)
def test_tiers_that_cannot_work(tiers: Any, engine: Any, said: str) -> None:
    config = DeploymentConfig(
        tiers=TiersConfig(**tiers),
        engine=EngineConfig(**engine),
        workers=WorkerCounts(prefill=0, decode=0, mixed=1),
    )
    with pytest.raises(UsageError, match=said):
        config.check()
