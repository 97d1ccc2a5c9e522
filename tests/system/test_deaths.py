"""Workers die or freeze at every step of the hand-off; tokens stay right and no block is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from goodput.control.fleet import Fleet, ModelFacts
from goodput.core.config import DeploymentConfig, WorkerCounts
from goodput.core.errors import GoodputError, WorkerLostError
from goodput.workers.messages import Fault

PREFILL_POINTS = ["on_submit", "before_step", "before_handoff", "after_handoff", "before_free"]
DECODE_POINTS = [
    "before_ack",
    "after_ack",
    "before_step",
    "after_decode",
    "before_release",
    "after_release",
]


async def ask_some(kit: Any, fleet: Any, count: int = 6) -> None:
    """Each answer must be right although a worker is lost on the way: two alone, then a crowd."""
    asked = [kit.request(f"r{i}", range(i, i + 30 + i), 6 + i) for i in range(count)]
    answers = [await kit.ask(fleet, request) for request in asked[:2]]
    answers += await asyncio.gather(*(kit.ask(fleet, request) for request in asked[2:]))
    for request, answer in zip(asked, answers, strict=True):
        assert answer.tokens == kit.expected(request.prompt, request.sampling.max_tokens)


@pytest.mark.parametrize(
    ("worker", "point"),
    [("prefill-0", point) for point in PREFILL_POINTS]
    + [("decode-0", point) for point in DECODE_POINTS],
)
@pytest.mark.parametrize("after", [0, pytest.param(2, marks=pytest.mark.slow)])
async def test_a_death_at_any_step_loses_nothing(
    kit: Any, worker: str, point: str, after: int
) -> None:
    fleet = await kit.fleet(faults={worker: Fault(at=point, after=after)})
    await ask_some(kit, fleet)
    await kit.assert_whole(fleet)
    assert fleet.registry[worker].restarts == 1
    # The restarted worker serves, on memory that its former life left clean.
    await ask_some(kit, fleet)
    await kit.assert_whole(fleet)


@pytest.mark.parametrize(
    ("worker", "point"),
    [
        pytest.param("prefill-0", "before_handoff", marks=pytest.mark.slow),
        ("decode-0", "before_ack"),
        pytest.param("decode-0", "after_decode", marks=pytest.mark.slow),
    ],
)
async def test_a_frozen_worker_is_noticed_and_replaced(kit: Any, worker: str, point: str) -> None:
    fleet = await kit.fleet(faults={worker: Fault(at=point, how="stop")}, heartbeat_timeout_s=0.7)
    await ask_some(kit, fleet)
    await kit.assert_whole(fleet)
    assert fleet.registry[worker].restarts == 1


async def test_another_worker_takes_over_while_the_lost_one_restarts(kit: Any) -> None:
    fleet = await kit.fleet((2, 2, 0), faults={"decode-0": Fault(at="after_decode", after=3)})
    await ask_some(kit, fleet, 12)
    await kit.assert_whole(fleet)


async def test_a_prefill_death_does_not_disturb_what_was_handed_over(kit: Any) -> None:
    fleet = await kit.fleet()
    stream = fleet.generate(kit.request("r", range(100), 200))
    tokens = [token for _ in range(5) for token in (await anext(stream)).token_ids]
    old = fleet.registry["prefill-0"].process.pid
    os.kill(old, signal.SIGKILL)

    async def restarted() -> str | None:
        process = fleet.registry["prefill-0"].process
        back = process is not None and process.pid != old and fleet.registry.all_ready()
        return None if back else "the prefill worker did not come back"

    await kit.eventually(restarted)
    # The blocks are quarantined: reserved by a process that never allocated them.
    report = await fleet.inspect("prefill-0")
    assert report.error is None
    assert report.leases == 1
    assert report.total_blocks - report.free_blocks == 7
    # New prompts at the new process must not touch them, which the reader checks at each step.
    await ask_some(kit, fleet)
    async for delta in stream:
        tokens += delta.token_ids
    assert tokens == kit.expected(range(100), 200)
    await kit.assert_whole(fleet)


async def test_a_request_that_kills_every_worker_is_given_up(kit: Any) -> None:
    fault = Fault(at="on_submit", always=True)
    fleet = await kit.fleet((0, 0, 1), faults={"mixed-0": fault}, max_attempts=2)
    with pytest.raises(WorkerLostError, match="mixed-0"):
        await kit.ask(fleet, kit.request("r", range(20), 5))
    await kit.assert_whole(fleet)


async def test_a_worker_that_never_starts_ends_the_fleet_with_a_sentence(kit: Any) -> None:
    fleet = await kit.fleet(faults={"decode-0": Fault(at="start", always=True)}, wait=False)
    with pytest.raises(GoodputError, match="decode-0 cannot start"):
        await fleet.wait_ready()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["prefill-0", "decode-0"])
async def test_kills_at_random_moments(kit: Any, victim: str) -> None:
    fleet = await kit.fleet(max_attempts=10)
    asking = asyncio.create_task(ask_some(kit, fleet, 30))
    for pause in (0.004, 0.011, 0.023):
        await asyncio.sleep(pause)
        fleet.registry[victim].kill()

        async def back() -> str | None:
            return None if fleet.registry[victim].is_ready else f"{victim} did not come back"

        await kit.eventually(back)
    await asking
    await kit.assert_whole(fleet)


@pytest.mark.slow
async def test_a_start_failure_is_told_in_the_worker_s_own_words() -> None:
    config = DeploymentConfig(workers=WorkerCounts(prefill=0, decode=0, mixed=1))
    facts = ModelFacts(path="/no/model.gguf", vocab_size=9, context_length=64, bytes_per_block=64)
    fleet = Fleet(config, facts)
    fleet.start()
    with pytest.raises(GoodputError, match=r"mixed-0 cannot start: .*/no/model\.gguf"):
        await fleet.wait_ready()
    await fleet.stop()
