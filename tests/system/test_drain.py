"""Workers change roles, leave and come while requests run: nothing is lost, no token differs."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from goodput.core.config import Role


async def flood(kit: Any, fleet: Any, count: int, tokens: int = 60) -> list[asyncio.Task[Any]]:
    """Requests of mixed lengths, some of them already decoding when this returns."""
    asked = [
        kit.request(f"r{number}", range(number, number + 20 + 9 * number), tokens + number)
        for number in range(count)
    ]
    tasks = [asyncio.create_task(kit.ask(fleet, request)) for request in asked]
    for task, request in zip(tasks, asked, strict=True):
        task.request = request  # type: ignore[attr-defined]

    async def complaint() -> str | None:
        running = sum(slot.view.load.running for slot in fleet.registry if slot.role != "prefill")
        return None if running else "nothing decodes"

    await kit.eventually(complaint)
    return tasks


async def settle(kit: Any, fleet: Any, tasks: list[asyncio.Task[Any]]) -> None:
    """Right answers to all, every block back, and workers that know their roles."""
    for answer in await asyncio.gather(*tasks, return_exceptions=True):
        assert not isinstance(answer, BaseException), repr(answer)
    for task in tasks:
        request = task.request  # type: ignore[attr-defined]
        wanted = kit.expected(request.prompt, request.sampling.max_tokens)
        assert task.result().tokens == wanted, request.id
    await kit.assert_whole(fleet)
    for slot in fleet.registry:
        if slot.wanted:
            assert (await fleet.inspect(slot.name)).role == slot.role


@pytest.mark.parametrize(
    ("counts", "name", "role"),
    [
        ((2, 1, 0), "prefill-0", "decode"),
        ((1, 2, 0), "decode-1", "prefill"),
        ((1, 2, 0), "decode-0", "mixed"),
        ((0, 0, 2), "mixed-0", "prefill"),
    ],
)
async def test_a_flip_in_full_work(
    kit: Any, counts: tuple[int, int, int], name: str, role: Role
) -> None:
    fleet = await kit.fleet(counts, prefill_ms=0.1)
    tasks = await flood(kit, fleet, 8, tokens=300)
    pid = fleet.registry[name].status().pid
    if counts == (0, 0, 2):  # what it gives away needs somebody to decode it
        assert fleet.drainer.can_spare(fleet.registry[name])
    assert await fleet.drainer.flip(fleet.registry[name], role)
    assert fleet.coordinator.holds(fleet.registry[name]) == 0
    tasks += await flood(kit, fleet, 8)
    await settle(kit, fleet, tasks)
    status = fleet.registry[name].status()
    # The same process: no weights were loaded again, and no worker was lost.
    assert (status.role, status.pid, status.gauges["restarts"]) == (role, pid, 0)


async def test_many_flips_there_and_back(kit: Any) -> None:
    fleet = await kit.fleet((2, 2, 0), prefill_ms=0.05, kv_tokens=2048)
    tasks: list[asyncio.Task[Any]] = []
    for name, role in [("prefill-0", "decode"), ("decode-0", "prefill")] * 3:
        tasks += await flood(kit, fleet, 6, tokens=30)
        slot = fleet.registry[name]
        assert await fleet.drainer.flip(slot, role)
        assert await fleet.drainer.flip(slot, "prefill" if role == "decode" else "decode")
    await settle(kit, fleet, tasks)


async def test_the_last_worker_of_a_kind_is_not_flipped(kit: Any) -> None:
    fleet = await kit.fleet((2, 1, 0))
    assert not await fleet.drainer.flip(fleet.registry["decode-0"], "prefill")
    assert fleet.registry["decode-0"].is_ready


async def test_a_worker_that_dies_while_it_drains_comes_back_in_its_new_role(kit: Any) -> None:
    fleet = await kit.fleet((1, 2, 0))
    tasks = await flood(kit, fleet, 8, tokens=400)
    slot = fleet.registry["decode-0"]
    flip = asyncio.create_task(fleet.drainer.flip(slot, "prefill"))
    await asyncio.sleep(0.05)
    slot.kill()
    assert await flip
    await settle(kit, fleet, tasks)
    assert slot.role == "prefill"


@pytest.mark.parametrize("name", ["prefill-0", "decode-1", "mixed-0"])
async def test_a_removed_worker_gives_everything_away(kit: Any, name: str) -> None:
    fleet = await kit.fleet((2, 2, 1), prefill_ms=0.1)
    tasks = await flood(kit, fleet, 16, tokens=300)
    slot = fleet.registry[name]
    assert await fleet.drainer.leave(slot, "a test", replace=False)
    assert slot.status().pid is None
    await settle(kit, fleet, tasks)
    assert slot.phase.value == "stopped"
    slot.want("decode")
    await kit.assert_whole(fleet)  # waits for it
    assert (await fleet.inspect(name)).role == "decode"


@pytest.mark.parametrize("counts", [(2, 2, 0), (1, 1, 0), (0, 0, 1)])
async def test_sigterm_to_every_worker_replaces_them_one_by_one(
    kit: Any, counts: tuple[int, int, int]
) -> None:
    fleet = await kit.fleet(counts)
    tasks = await flood(kit, fleet, 8, tokens=150)
    first = {slot.name: slot.status().pid for slot in fleet.registry}
    for pid in first.values():
        os.kill(pid, signal.SIGTERM)

    async def complaint() -> str | None:
        same = [
            slot.name for slot in fleet.registry if slot.status().pid in (None, first[slot.name])
        ]
        return f"{same} were not replaced" if same else None

    await asyncio.gather(*tasks)
    await kit.eventually(complaint)
    await settle(kit, fleet, tasks)
    assert all(slot.restarts == 0 for slot in fleet.registry)
