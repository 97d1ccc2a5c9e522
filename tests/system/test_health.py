"""Canaries and slow workers, with real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from goodput.control.fleet import Fleet, ModelFacts
from goodput.core.config import DeploymentConfig, ModelledConfig, WorkerCounts
from goodput.core.operations_config import HealthConfig

FACTS = ModelFacts(path=None, vocab_size=1000, context_length=2048, bytes_per_block=16 * 8)


class Ward:
    """A fleet under observation, and what it told the operator."""

    def __init__(self, counts: WorkerCounts, health: HealthConfig, step_ms: float = 1.0) -> None:
        self.lines: list[str] = []
        config = DeploymentConfig(
            engine_kind="modelled",
            modelled=ModelledConfig(step_ms=step_ms, check_kv=True),
            workers=counts,
            health=health,
        )
        config.check()
        self.fleet = Fleet(config, FACTS, notify=self.lines.append)

    async def told(self, kit: Any, text: str) -> None:
        async def complaint() -> str | None:
            return None if any(text in line for line in self.lines) else f"{text}: {self.lines}"

        await kit.eventually(complaint)


@pytest.fixture
async def ward(kit: Any) -> AsyncIterator[Any]:
    async def make(*options: Any, **named: Any) -> Ward:
        ward = Ward(*options, **named)
        kit.fleets.append(ward.fleet)
        ward.fleet.start()
        await ward.fleet.wait_ready()
        return ward

    yield make


async def test_idle_workers_of_every_role_answer_canaries(kit: Any, ward: Any) -> None:
    quick = HealthConfig(canary_idle_s=0.1)
    here = await ward(WorkerCounts(prefill=1, decode=1, mixed=1), quick)

    async def complaint() -> str | None:
        return None if here.fleet.canaries >= 6 else f"{here.fleet.canaries} answers"

    await kit.eventually(complaint)
    assert all(slot.restarts == 0 for slot in here.fleet.registry)


async def test_a_worker_that_answers_no_canary_is_replaced(kit: Any, ward: Any) -> None:
    """Frozen for longer than the canary's time, but not for a heartbeat's."""
    strict = HealthConfig(canary_idle_s=0.2, canary_timeout_s=0.5)
    here = await ward(WorkerCounts(prefill=0, decode=0, mixed=1), strict)
    psutil.Process(here.fleet.registry["mixed-0"].status().pid).suspend()
    await here.told(kit, "it did not answer a canary request")
    await kit.assert_whole(here.fleet)


async def test_a_slow_worker_is_drained_and_replaced(kit: Any, ward: Any) -> None:
    """Its process is held up again and again, as a bad core or a noisy neighbour would."""
    watchful = HealthConfig(slow_factor=3.0, slow_after_s=0.3)
    here = await ward(WorkerCounts(prefill=0, decode=0, mixed=2), watchful, step_ms=4.0)
    fleet = here.fleet
    tasks = [
        asyncio.create_task(kit.ask(fleet, kit.request(f"r{i}", range(i, i + 30), 300)))
        for i in range(8)
    ]
    await asyncio.sleep(0.5)
    slow = psutil.Process(fleet.registry["mixed-0"].status().pid)
    while not any("mixed-0 is drained" in line for line in here.lines):
        assert not all(task.done() for task in tasks), here.lines
        slow.suspend()
        await asyncio.sleep(0.03)
        slow.resume()
        await asyncio.sleep(0.001)
    slow.resume()
    for number, task in enumerate(tasks):
        assert (await task).tokens == kit.expected(range(number, number + 30), 300)
    await here.told(kit, "mixed-0 has left")
    assert not any("mixed-1 is drained" in line for line in here.lines)
    await kit.assert_whole(fleet)
