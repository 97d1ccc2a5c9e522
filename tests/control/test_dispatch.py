"""What waits at the router: until its turn, until it is hopeless, or until it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from tests.control.test_coordinator import Client, Desk, request, settle

from goodput.control.coordinator import Coordinator
from goodput.control.dispatch import Dispatcher
from goodput.core.config import LimitsConfig
from goodput.core.errors import OverloadedError, WorkerLostError
from goodput.core.request import GenerationRequest
from goodput.core.router_config import RouterConfig
from goodput.core.slo import SLO
from goodput.core.speeds import StepCost
from goodput.router.router import Router
from goodput.workers.messages import Submit


class Counter(Desk):
    """A prefill worker that takes one prompt (20 tokens, 20 ms) at a time, and a decode worker."""

    def __init__(self, config: RouterConfig, admission: Any = "all") -> None:
        super().__init__()
        router = Router(16, config)
        self.coordinator = Coordinator(
            self.registry,
            router,
            self.leases,
            LimitsConfig(max_pending=99),
            self.clock,
            patience_s=20.0,
            dispatcher=Dispatcher(self.registry, router, self.clock, config, admission),
        )

    def submitted(self) -> list[str]:
        """Names of the requests that the prefill worker was given."""
        sent = [message for message in self.prefill.sent if isinstance(message, Submit)]
        return [message.request.id.split("#")[0] for message in sent]

    async def ask_all(self, *names: str, **changes: Any) -> list[Client]:
        clients = [self.ask_for(request(name), **changes) for name in names]
        await settle()
        return clients

    def ask_for(self, plain: GenerationRequest, **changes: Any) -> Client:
        fields = {"received": self.clock.now()} | changes
        return Client(self.coordinator.generate(msgspec.structs.replace(plain, **fields)))

    def first_token(self) -> None:
        """The prefill worker finishes the prompt that it was given last."""
        self.finish_prompt(self.prefill.last(Submit).request.id, f"lease{len(self.prefill.sent)}")


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    yield Counter(RouterConfig(ahead_ms=1.0))


async def test_one_after_the_other_and_cancelled_ones_never(counter: Counter) -> None:
    clients = await counter.ask_all("a", "b", "c")
    assert counter.submitted() == ["a"]
    assert (
        counter.coordinator.dispatcher.waiting,
        counter.registry["prefill-0"].view.sequences,
    ) == (
        2,
        0,
    )
    await clients[1].leave()
    assert counter.coordinator.dispatcher.waiting_tokens == 20
    counter.first_token()
    assert counter.submitted() == ["a", "c"]
    for client in (clients[0], clients[2]):
        await client.leave()
    assert counter.coordinator.dispatcher._prompts == {}


async def test_a_cancelled_prompt_makes_room_with_the_next_tick(counter: Counter) -> None:
    clients = await counter.ask_all("a", "b")
    await clients[0].leave()
    counter.coordinator.tick()
    assert counter.submitted() == ["a", "b"]
    await clients[1].leave()


async def test_those_that_wait_are_parked_when_no_path_is_left_and_lose_patience(
    counter: Counter,
) -> None:
    clients = await counter.ask_all("a", "b")
    counter.kill("decode-0")
    counter.kill("prefill-0")
    counter.coordinator.tick()
    assert counter.coordinator.dispatcher.waiting == 0
    counter.clock.advance(20.0)
    counter.coordinator.tick()
    for client in clients:
        with pytest.raises(WorkerLostError, match="became ready in time"):
            await client.task


async def test_a_retry_does_not_wait_for_a_second_turn(counter: Counter) -> None:
    clients = await counter.ask_all("a", "b", "c")
    counter.kill("prefill-0")
    counter.prefill = counter.bring_up("prefill-0")
    # "a" was under way; the others wait on.
    assert counter.submitted() == ["a"]
    assert counter.coordinator.dispatcher.waiting == 2
    for client in clients:
        await client.leave()


async def test_priorities_and_tenants_reach_the_queue(counter: Counter) -> None:
    clients = await counter.ask_all("a", "b")
    clients += await counter.ask_all("other", tenant="other")
    clients += await counter.ask_all("first", priority=-1)
    for _ in range(3):
        counter.first_token()
    # "default" has had "a", and "first" by its priority: it is the other tenant's turn.
    assert counter.submitted() == ["a", "first", "other", "b"]
    for client in clients:
        await client.leave()


async def test_under_admission_those_that_become_hopeless_are_refused_while_they_wait() -> None:
    counter = Counter(RouterConfig(ahead_ms=1.0), admission="slo")
    slow = await counter.ask_all("slow")
    promised = await counter.ask_all("r", slo=SLO(ttft=0.1))
    patient = await counter.ask_all("patient")
    counter.clock.advance(0.07)
    counter.coordinator.tick()
    await settle()
    assert not promised[0].task.done()
    counter.clock.advance(0.02)  # 20 ms of prompt do not fit any more
    counter.coordinator.tick()
    with pytest.raises(OverloadedError) as refused:
        await promised[0].task
    assert refused.value.http_status == 429
    assert not patient[0].task.done()
    for client in (slow[0], patient[0]):
        await client.leave()


async def test_under_admission_a_promise_that_cannot_be_kept_is_not_made() -> None:
    counter = Counter(RouterConfig(ahead_ms=1.0), admission="slo")
    for slot in counter.registry:
        slot.view.speeds.observe(StepCost(0.02, 20, 0))
        slot.view.speeds.observe(StepCost(0.01, 0, 1))
    clients = await counter.ask_all(*(f"r{n}" for n in range(8)), slo=SLO(ttft=0.1))
    # 20 ms each, nine tenths of 100 ms to be sure: one runs and three wait.
    assert (len(counter.submitted()), counter.coordinator.dispatcher.waiting) == (1, 3)
    for client in clients[4:]:
        with pytest.raises(OverloadedError) as refused:
            await client.task
        assert 0 < refused.value.retry_after_s < 1
    for client in clients[:4]:
        await client.leave()
    assert counter.coordinator.in_flight == 0
