"""A client that leaves gets its blocks returned, wherever its request is at that moment."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from goodput.control.job import Stage
from goodput.workers.messages import Fault


async def start(fleet: Any, request: Any) -> tuple[asyncio.Task[None], Any]:
    """A client in a task of its own, and the coordinator's job for it."""

    async def consume() -> None:
        async with contextlib.aclosing(fleet.generate(request)) as stream:
            async for _ in stream:
                pass

    before = set(fleet.coordinator._jobs)
    task = asyncio.create_task(consume())
    await asyncio.sleep(0)
    (job,) = fleet.coordinator._jobs - before
    return task, job


async def cancel_at(kit: Any, fleet: Any, stage: Stage, tokens: int = 0) -> None:
    task, job = await start(fleet, kit.request("r", range(300), 500))

    async def reached() -> str | None:
        there = job.stage is stage and len(job.sent) >= tokens
        return None if there else f"the request is {job.stage}, not {stage}"

    await kit.eventually(reached)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert job not in fleet.coordinator._jobs


async def test_while_no_worker_is_ready(kit: Any) -> None:
    fleet = await kit.fleet(wait=False)
    await cancel_at(kit, fleet, Stage.PARKED)
    await kit.assert_whole(fleet)


async def test_during_prefill(kit: Any) -> None:
    fleet = await kit.fleet(prefill_ms=1.0)
    await cancel_at(kit, fleet, Stage.PREFILL)
    await kit.assert_whole(fleet)


async def test_while_it_waits_for_its_turn_at_the_router(kit: Any) -> None:
    fleet = await kit.fleet(prefill_ms=1.0)
    others = [await start(fleet, kit.request(f"o{i}", range(i, 900 + i), 2)) for i in range(4)]
    await cancel_at(kit, fleet, Stage.QUEUED)
    for task, _ in others:
        task.cancel()
    await asyncio.gather(*(task for task, _ in others), return_exceptions=True)
    await kit.assert_whole(fleet)


async def test_while_it_waits_behind_another_prompt_at_the_worker(kit: Any) -> None:
    fleet = await kit.fleet(prefill_ms=0.2)
    first, _ = await start(fleet, kit.request("f", range(1900), 20))
    # The router would keep it back; it may come this way when another worker's death moves it.
    fleet.coordinator.dispatcher._takes = lambda view: True
    second, job = await start(fleet, kit.request("s", range(1, 1000), 20))
    view = fleet.registry["prefill-0"].view

    async def behind() -> str | None:
        there = job.stage is Stage.PREFILL and view.load.waiting == 1 and not job.sent
        return None if there else f"the request is {job.stage}, with {view.load}"

    await kit.eventually(behind)
    second.cancel()
    await first
    await kit.assert_whole(fleet)


async def test_between_two_chunks_of_its_prompt(kit: Any) -> None:
    fleet = await kit.fleet(prefill_ms=0.2)
    task, job = await start(fleet, kit.request("r", range(1900), 20))
    view = fleet.registry["prefill-0"].view

    async def half_way() -> str | None:
        there = 0 < view.load.waiting_prefill_tokens < 1900
        return None if there else f"the request is {job.stage}, with {view.load}"

    await kit.eventually(half_way)
    assert job.stage is Stage.PREFILL and not job.sent
    task.cancel()
    await asyncio.wait([task])
    await kit.assert_whole(fleet)


async def test_while_offered_to_a_frozen_worker(kit: Any) -> None:
    fleet = await kit.fleet(
        faults={"decode-0": Fault(at="before_ack", how="stop")}, heartbeat_timeout_s=0.7
    )
    await cancel_at(kit, fleet, Stage.OFFERED)
    await kit.assert_whole(fleet)


async def test_while_no_decode_worker_is_there(kit: Any) -> None:
    fault = Fault(at="before_ack")
    fleet = await kit.fleet(faults={"decode-0": fault})
    victim, _ = await start(fleet, kit.request("v", range(30), 5))
    slot = fleet.registry["decode-0"]

    async def dead() -> str | None:
        return None if not slot.is_ready else "the decode worker lives"

    await kit.eventually(dead)
    # Its retry, and this one, cannot be placed: the pair is incomplete.
    await cancel_at(kit, fleet, Stage.PARKED)
    await victim
    await kit.assert_whole(fleet)


async def test_orphaned_by_the_decode_worker(kit: Any) -> None:
    fleet = await kit.fleet(prefill_ms=2.0)
    task, job = await start(fleet, kit.request("r", range(300), 50))

    async def prefilling() -> str | None:
        return None if job.stage is Stage.PREFILL else "not placed"

    await kit.eventually(prefilling)
    # Frozen start: nothing takes the hand-off until the slot is filled again.
    fleet._supervisor._config_of = slow_start(fleet._supervisor._config_of)
    fleet.registry["decode-0"].kill()

    async def orphaned() -> str | None:
        return None if job.stage is Stage.ORPHANED else f"the request is {job.stage}"

    await kit.eventually(orphaned)
    assert len(fleet.leases) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(fleet.leases) == 0
    fleet.registry["decode-0"].kill()
    await kit.assert_whole(fleet)


def slow_start(config_of: Any) -> Any:
    """The next process freezes at its start; those after it do not."""
    import msgspec

    pending = [Fault(at="start", how="stop")]

    def configure(*args: Any) -> Any:
        config = config_of(*args)
        return msgspec.structs.replace(config, fault=pending.pop()) if pending else config

    return configure


async def test_while_decoding(kit: Any) -> None:
    fleet = await kit.fleet()
    await cancel_at(kit, fleet, Stage.DECODE, tokens=5)
    await kit.assert_whole(fleet)


async def test_at_a_mixed_worker(kit: Any) -> None:
    fleet = await kit.fleet((0, 0, 1))
    await cancel_at(kit, fleet, Stage.PREFILL, tokens=5)
    await kit.assert_whole(fleet)


async def test_a_storm_of_clients_that_leave_at_all_moments(kit: Any) -> None:
    fleet = await kit.fleet()
    clients = [await start(fleet, kit.request(f"r{i}", range(i, i + 50), 60)) for i in range(60)]
    for number, (task, _) in enumerate(clients):
        if number % 4:
            await asyncio.sleep(0.002)
            task.cancel()
    results = await asyncio.gather(*(task for task, _ in clients), return_exceptions=True)
    left = [result for result in results if result is not None]
    assert all(isinstance(result, asyncio.CancelledError) for result in left)
    await kit.assert_whole(fleet)
