"""The planner on a real fleet: roles follow the traffic, workers come and go, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from goodput.control.fleet import Fleet, ModelFacts
from goodput.core.config import DeploymentConfig, EngineConfig, ModelledConfig, WorkerCounts
from goodput.core.operations_config import PlannerConfig

FACTS = ModelFacts(path=None, vocab_size=1000, context_length=2048, bytes_per_block=16 * 8)
QUICK = {
    "enabled": True,
    "interval_s": 0.05,
    "window_s": 3.0,
    "react_s": 0.1,
    "relax_s": 0.3,
    "cooldown_s": 0.2,
}


async def planned(kit: Any, counts: WorkerCounts, **planner: Any) -> Any:
    config = DeploymentConfig(
        engine_kind="modelled",
        modelled=ModelledConfig(
            step_ms=2.0, prefill_ms_per_token=0.2, decode_ms_per_sequence=0.1, check_kv=True
        ),
        workers=counts,
        engine=EngineConfig(max_sequences=8),
        planner=PlannerConfig(**QUICK, **planner),
    )
    config.check()
    fleet = Fleet(config, FACTS)
    kit.fleets.append(fleet)
    fleet.start()
    await fleet.wait_ready()
    return fleet


def roles(fleet: Any) -> list[str]:
    return sorted(slot.role for slot in fleet.registry if slot.wanted)


class Crowd:
    """Users who ask again once they are answered, until ``reached`` holds; answers are checked."""

    def __init__(self, kit: Any, fleet: Any, prompt: int, answer: int) -> None:
        self._kit, self._fleet = kit, fleet
        self._prompt, self._answer = prompt, answer
        self._enough = False

    async def until(self, reached: Any, users: int = 24) -> None:
        async def complaint() -> str | None:
            return None if reached() else f"{roles(self._fleet)} {self._fleet.planner.decisions}"

        asking = [asyncio.create_task(self._ask(user)) for user in range(users)]
        try:
            await self._kit.eventually(complaint)
        finally:
            self._enough = True
            await asyncio.gather(*asking)

    async def _ask(self, user: int) -> None:
        number = 0
        while not self._enough:
            prompt = range(100 * number + user, 100 * number + user + self._prompt)
            request = self._kit.request(f"{self._prompt}-{user}-{number}", prompt, self._answer)
            answer = await self._kit.ask(self._fleet, request)
            assert answer.tokens == self._kit.expected(prompt, self._answer)
            number += 1


async def test_roles_follow_a_swing_and_come_back(kit: Any) -> None:
    fleet = await planned(kit, WorkerCounts(prefill=2, decode=2))
    pids = {slot.name: slot.status().pid for slot in fleet.registry}
    assert sorted(pids) == ["worker-0", "worker-1", "worker-2", "worker-3"]
    await Crowd(kit, fleet, 300, 3).until(
        lambda: roles(fleet) == ["decode", "prefill", "prefill", "prefill"]
    )
    await Crowd(kit, fleet, 8, 100).until(
        lambda: roles(fleet) == ["decode", "decode", "decode", "prefill"]
    )
    await kit.assert_whole(fleet)
    assert {slot.name: slot.status().pid for slot in fleet.registry} == pids
    assert fleet.planner.flips["prefill"] >= 1
    assert fleet.planner.flips["decode"] >= 2


async def test_workers_come_with_the_load_and_go_without_it(kit: Any) -> None:
    counts = WorkerCounts(prefill=0, decode=0, mixed=1)
    fleet = await planned(kit, counts, min_workers=1, max_workers=3)
    await Crowd(kit, fleet, 40, 20).until(lambda: len(roles(fleet)) == 3)

    async def complaint() -> str | None:
        return None if len(roles(fleet)) == 1 else str(fleet.planner.decisions)

    await kit.eventually(complaint)
    await kit.assert_whole(fleet)
    stopped = [slot for slot in fleet.registry if not slot.wanted]
    assert all(slot.restarts == 0 for slot in stopped)
    assert (await kit.ask(fleet, kit.request("r", range(9), 4))).tokens == kit.expected(range(9), 4)


async def test_an_idle_fleet_decides_nothing_strange(kit: Any) -> None:
    fleet = await planned(kit, WorkerCounts(prefill=1, decode=1))
    await asyncio.sleep(0.5)
    assert set(fleet.planner.decisions) <= {("none", "idle"), ("none", "unsettled")}
    needs = fleet.planner.observe().needs
    assert (needs.prefill, needs.decode) == (0.0, 0.0)


def test_routes_and_metrics_of_a_served_fleet(serve: Any) -> None:
    server = serve("{engine_kind: modelled, modelled: {step_ms: 1}}", "--planner")
    root = server.url.removesuffix("/v1")
    ready = httpx.get(f"{root}/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    workers = httpx.get(f"{root}/health").json()["workers"]
    assert [(worker["name"], worker["role"]) for worker in workers] == [
        ("worker-0", "prefill"),
        ("worker-1", "decode"),
    ]
    assert all(worker["gauges"]["slowdown"] == 1.0 for worker in workers)
    metrics = httpx.get(f"{root}/metrics").text
    assert 'goodput_workers{role="prefill",state="ready"} 1.0' in metrics
    assert 'goodput_planner_decisions_total{action="none",reason="' in metrics
    assert 'goodput_planner_needed_workers{role="decode"} 0.0' in metrics
    assert "goodput_canaries_total" in metrics
