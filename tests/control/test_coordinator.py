"""Messages that cross, come late or never: the coordinator alone, with recorded workers.

The real processes of tests/system cannot be made to cross messages on purpose; here they are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from goodput.control.coordinator import Coordinator
from goodput.control.lease_desk import LeaseDesk
from goodput.control.registry import Registry, SlotSpec, WorkerPhase, WorkerSlot
from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig, LimitsConfig
from goodput.core.errors import OverloadedError, WorkerLostError
from goodput.core.request import GenerationRequest, SamplingParams, TokenDelta
from goodput.core.timeline import Timeline
from goodput.kv.leases import LeaseTable
from goodput.router.router import Router
from goodput.workers.messages import (
    Cancel,
    FreeLease,
    HandoffNotice,
    LeaseAck,
    Report,
    StartDecode,
    Submit,
    ToWorker,
    WorkerLoad,
)

LOAD = WorkerLoad(free_blocks=64, total_blocks=64)


class Recorder:
    """Stands for a worker's process."""

    def __init__(self) -> None:
        self.sent: list[ToWorker] = []
        self.killed = False

    def send(self, message: ToWorker) -> None:
        self.sent.append(message)

    def kill(self) -> None:
        self.killed = True

    def last(self, kind: type[Any]) -> Any:
        return [message for message in self.sent if isinstance(message, kind)][-1]


class Desk:
    """A coordinator over one prefill and one decode worker, and a hand on the clock."""

    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        engine = EngineConfig()
        specs = [
            SlotSpec("prefill-0", "prefill", None, 0, 64),
            SlotSpec("decode-0", "decode", None, 64, 64),
        ]
        self.registry = Registry([WorkerSlot(spec, engine) for spec in specs])
        table = LeaseTable(ack_timeout_s=5.0, grant_timeout_s=50.0)
        self.leases = LeaseDesk(self.registry, table, self.clock)
        limits = LimitsConfig(max_pending=2, max_attempts=2)
        self.coordinator = Coordinator(
            self.registry, Router(16), self.leases, limits, self.clock, patience_s=20.0
        )
        self.prefill = self.bring_up("prefill-0")
        self.decode = self.bring_up("decode-0")

    def bring_up(self, name: str) -> Recorder:
        slot = self.registry[name]
        recorder = Recorder()
        self.leases.worker_starts(name)
        slot.process = recorder  # type: ignore[assignment]
        slot.phase = WorkerPhase.READY
        self.coordinator.worker_ready()
        return recorder

    def kill(self, name: str) -> None:
        slot = self.registry[name]
        slot.process = None
        slot.phase = WorkerPhase.DEAD
        self.coordinator.worker_died(slot)

    def report(self, name: str, **parts: Any) -> None:
        self.coordinator.on_report(self.registry[name], Report(LOAD, **parts))

    def finish_prompt(self, attempt: str, lease: str = "lease") -> None:
        timeline = Timeline(received=1.0, prefill_started=101.0, first_token=102.0)
        notice = HandoffNotice(attempt, lease, [0, 1], 20, [7], timeline, 0)
        delta = TokenDelta(request_id=attempt, token_ids=[7])
        self.report("prefill-0", deltas=[delta], handoffs=[notice])

    def ask(self, name: str = "r") -> Client:
        return Client(self.coordinator.generate(request(name)))


class Client:
    """Reads a stream in the background."""

    def __init__(self, stream: AsyncIterator[TokenDelta]) -> None:
        self.tokens: list[int] = []
        self.task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: Any) -> TokenDelta:
        async with contextlib.aclosing(stream):
            async for delta in stream:
                self.tokens += delta.token_ids
        return delta

    async def leave(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


def request(name: str) -> GenerationRequest:
    sampling = SamplingParams(max_tokens=9)
    return GenerationRequest(id=name, prompt=list(range(20)), sampling=sampling, received=1.0)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    # Whatever happened: nothing in flight, no lease, no load counted.
    assert desk.coordinator.in_flight == 0
    assert len(desk.leases) == 0
    assert not desk.coordinator._attempts
    for slot in desk.registry:
        assert (slot.view.queued_tokens, slot.view.sequences) == (0, 0)


async def test_a_whole_life_with_all_stamps(desk: Desk) -> None:
    client = desk.ask()
    await settle()
    attempt = desk.prefill.last(Submit).request.id
    assert desk.registry["prefill-0"].view.queued_tokens == 20
    desk.clock.advance(3.0)
    desk.finish_prompt(attempt)
    assert desk.registry["prefill-0"].view.queued_tokens == 0
    start = desk.decode.last(StartDecode)
    assert (start.request.id, start.request.generated) == (attempt, [7])
    desk.coordinator.on_ack(desk.registry["decode-0"], LeaseAck(attempt, "lease", 103.5))
    timeline = Timeline(received=1.0, decode_started=104.0, last_token=105.0)
    last = TokenDelta(request_id=attempt, token_ids=[8], finish_reason="length", timeline=timeline)
    desk.report("decode-0", deltas=[last], released_leases=["lease"])
    delta = await client.task
    assert client.tokens == [7, 8]
    assert delta.request_id == "r"
    assert delta.timeline == Timeline(
        received=1.0,
        submitted=100.0,
        prefill_started=101.0,
        first_token=102.0,
        offered=103.0,
        accepted=103.5,
        decode_started=104.0,
        last_token=105.0,
    )
    assert desk.prefill.sent[-1] == FreeLease("lease")


async def test_a_cancel_that_crosses_the_hand_off_frees_the_lease(desk: Desk) -> None:
    client = desk.ask()
    await settle()
    attempt = desk.prefill.last(Submit).request.id
    await client.leave()
    assert desk.prefill.sent[-1] == Cancel(attempt)
    desk.finish_prompt(attempt)
    assert desk.prefill.sent[-1] == FreeLease("lease")
    assert desk.decode.sent == []


async def test_a_cancel_that_crosses_the_last_token_is_harmless(desk: Desk) -> None:
    client = desk.ask()
    await settle()
    attempt = desk.prefill.last(Submit).request.id
    desk.finish_prompt(attempt)
    await client.leave()
    assert desk.decode.sent[-1] == Cancel(attempt)
    # The blocks are the holder's until it says otherwise, though nobody waits for the answer.
    assert len(desk.leases) == 1
    desk.coordinator.on_ack(desk.registry["decode-0"], LeaseAck(attempt, "lease", 103.0))
    last = TokenDelta(request_id=attempt, token_ids=[8], finish_reason="length")
    desk.report("decode-0", deltas=[last], released_leases=["lease"])
    desk.report("decode-0", released_leases=["lease"])  # said twice
    assert desk.prefill.sent.count(FreeLease("lease")) == 1


async def test_a_retry_continues_after_what_was_sent_and_ignores_the_former_attempt(
    desk: Desk,
) -> None:
    client = desk.ask()
    await settle()
    first = desk.prefill.last(Submit).request.id
    desk.finish_prompt(first)
    desk.kill("decode-0")
    assert desk.prefill.sent[-1] == FreeLease("lease")
    desk.decode = desk.bring_up("decode-0")
    again = desk.prefill.last(Submit).request
    assert again.id != first
    assert again.generated == [7]
    assert desk.registry["prefill-0"].view.queued_tokens == 21
    desk.report("decode-0", deltas=[TokenDelta(request_id=first, token_ids=[666])])
    desk.report(
        "prefill-0",
        deltas=[TokenDelta(request_id=again.id, token_ids=[8], finish_reason="length")],
    )
    await client.task
    assert client.tokens == [7, 8]


async def test_an_unacknowledged_offer_kills_the_holder_before_the_blocks_are_freed(
    desk: Desk,
) -> None:
    client = desk.ask()
    await settle()
    desk.finish_prompt(desk.prefill.last(Submit).request.id)
    desk.clock.advance(5.0)
    desk.coordinator.tick()
    assert desk.decode.killed
    assert FreeLease("lease") not in desk.prefill.sent
    desk.kill("decode-0")
    assert FreeLease("lease") in desk.prefill.sent
    await client.leave()


async def test_patience_ends_when_no_worker_comes(desk: Desk) -> None:
    desk.kill("decode-0")
    client = desk.ask()
    await settle()
    desk.clock.advance(19.0)
    desk.coordinator.tick()
    await settle()
    assert not client.task.done()
    desk.clock.advance(1.0)
    desk.coordinator.tick()
    with pytest.raises(WorkerLostError, match="in time"):
        await client.task


async def test_patience_ends_for_a_computed_prompt_too(desk: Desk) -> None:
    client = desk.ask()
    await settle()
    attempt = desk.prefill.last(Submit).request.id
    desk.kill("decode-0")
    desk.finish_prompt(attempt)
    assert len(desk.leases) == 1
    desk.clock.advance(20.0)
    desk.coordinator.tick()
    assert desk.prefill.sent[-1] == FreeLease("lease")
    with pytest.raises(WorkerLostError):
        await client.task
    assert client.tokens == [7]


async def test_attempts_are_bounded(desk: Desk) -> None:
    client = desk.ask()
    for _ in range(2):
        await settle()
        desk.kill("prefill-0")
        desk.prefill = desk.bring_up("prefill-0")
    with pytest.raises(WorkerLostError, match="prefill-0"):
        await client.task
    assert desk.prefill.sent == []


async def test_more_than_max_pending_is_refused(desk: Desk) -> None:
    clients = [desk.ask(f"r{i}") for i in range(3)]
    await settle()
    with pytest.raises(OverloadedError):
        await clients[2].task
    for client in clients[:2]:
        await client.leave()


async def test_a_worker_made_prefill_hands_its_decoding_request_to_another(desk: Desk) -> None:
    client = desk.ask()
    await settle()
    attempt = desk.prefill.last(Submit).request.id
    desk.finish_prompt(attempt)
    desk.coordinator.on_ack(desk.registry["decode-0"], LeaseAck(attempt, "lease", 103.0))
    desk.registry["prefill-0"].set_role("decode")
    desk.registry["decode-0"].set_role("prefill")
    timeline = Timeline(received=1.0, prefill_started=101.0, first_token=102.0)
    notice = HandoffNotice(attempt, "second", [64, 65], 21, [7, 8], timeline, 0)
    delta = TokenDelta(request_id=attempt, token_ids=[8])
    # It was preempted, so that it gave the lease back and computed all in blocks of its own.
    desk.report("decode-0", deltas=[delta], handoffs=[notice], released_leases=["lease"])
    assert desk.prefill.last(StartDecode).lease_id == "second"
    desk.coordinator.on_ack(desk.registry["prefill-0"], LeaseAck(attempt, "second", 104.0))
    last = TokenDelta(request_id=attempt, token_ids=[9], finish_reason="length")
    desk.report("prefill-0", deltas=[last], released_leases=["second"])
    await client.task
    assert client.tokens == [7, 8, 9]
    assert desk.decode.sent[-1] == FreeLease("second")


async def test_moving_requests_away_is_no_failed_attempt(desk: Desk) -> None:
    client = desk.ask()
    for _ in range(5):  # more often than attempts are allowed
        await settle()
        attempt = desk.prefill.last(Submit).request.id
        desk.coordinator.move_from(desk.registry["prefill-0"])
        assert Cancel(attempt) in desk.prefill.sent
        assert desk.prefill.last(Submit).request.id != attempt
    assert not client.task.done()
    await client.leave()


async def test_a_lease_that_cannot_be_offered_is_given_back_at_once(desk: Desk) -> None:
    clients = [desk.ask(f"r{i}") for i in range(2)]
    await settle()
    first, second = (m.request.id for m in desk.prefill.sent if isinstance(m, Submit))
    desk.finish_prompt(first, "one")
    desk.clock.advance(5.0)
    desk.coordinator.tick()
    assert desk.decode.killed  # but not yet known to be dead, so still thought of as ready
    desk.finish_prompt(second, "two")
    assert FreeLease("two") in desk.prefill.sent
    assert FreeLease("one") not in desk.prefill.sent
    again = desk.prefill.last(Submit).request
    assert again.generated == [7] and again.id != second
    desk.kill("decode-0")
    for client in clients:
        await client.leave()
