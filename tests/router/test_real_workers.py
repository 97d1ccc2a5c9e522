"""Routing with real worker processes: beliefs against truth, both ways of a prompt, the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, get_args

import msgspec
import pytest
from tests.system.conftest import FACTS, ask, assert_whole, eventually, expected, request_of

from goodput.control.fleet import Fleet
from goodput.control.registry import WorkerSlot
from goodput.core.config import DeploymentConfig, EngineConfig, ModelledConfig, WorkerCounts
from goodput.core.errors import OverloadedError
from goodput.core.request import GenerationRequest
from goodput.core.router_config import PolicyName, RouterConfig
from goodput.core.slo import SLO
from goodput.router.policy import Placement, Work, WorkerView
from goodput.workers.messages import Report, Resync

Start = Callable[..., Coroutine[Any, Any, Fleet]]
SHARED = list(range(200))


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    fleets: list[Fleet] = []

    async def started(
        counts: tuple[int, int, int],
        router: RouterConfig,
        *,
        kv_tokens: int = 8192,
        prefill_ms: float = 0.01,
        **changes: Any,
    ) -> Fleet:
        prefill, decode, mixed = counts
        config = DeploymentConfig(
            engine_kind="modelled",
            modelled=ModelledConfig(
                step_ms=1.0,
                prefill_ms_per_token=prefill_ms,
                decode_ms_per_sequence=0.02,
                check_kv=True,
            ),
            workers=WorkerCounts(prefill=prefill, decode=decode, mixed=mixed),
            engine=EngineConfig(kv_tokens=kv_tokens),
            router=router,
            **changes,
        )
        config.check()
        fleets.append(Fleet(config, FACTS))
        fleets[-1].start()
        await fleets[-1].wait_ready()
        return fleets[-1]

    yield started
    for fleet in fleets:
        await fleet.stop()


def overheard(fleet: Fleet, change: Callable[[Report], Report] = lambda r: r) -> list[Report]:
    """Every report from now on, as it is passed on after ``change``."""
    reports: list[Report] = []
    original = fleet.coordinator.on_report

    def on_report(slot: WorkerSlot, report: Report) -> None:
        reports.append(change(report))
        original(slot, reports[-1])

    fleet.coordinator.on_report = on_report  # type: ignore[method-assign]
    return reports


async def assert_beliefs_are_true(fleet: Fleet) -> None:
    """What the router believes of each idle worker is what that worker says itself."""
    reports = overheard(fleet)
    router = fleet.coordinator.dispatcher._router
    for slot in fleet.registry:
        believed = router.believed(slot.name)
        reports.clear()
        slot.send(Resync())

        async def answered() -> str | None:
            return None if any(r.cached is not None for r in reports) else "no answer"

        await eventually(answered)
        truth = next(report.cached for report in reports if report.cached is not None)
        assert believed == set(truth)
        assert router.believed(slot.name) == believed


def with_slo(request: GenerationRequest, **bounds: float) -> GenerationRequest:
    return msgspec.structs.replace(request, slo=SLO(**bounds))


def conversation(number: int) -> GenerationRequest:
    """Prompts that share more or less of their beginnings."""
    prompt = SHARED[: 16 * (number * 5 % 12)] + list(range(number, number + 7 + number * 3 % 50))
    return request_of(f"r{number}", prompt, 2 + number % 9)


@pytest.mark.parametrize("counts", [(0, 0, 2), (2, 1, 0)])
async def test_the_router_believes_what_is_true_and_hits_are_those_that_happened(
    start: Start, counts: tuple[int, int, int]
) -> None:
    # So little memory that cached blocks are evicted all the time.
    fleet = await start(counts, RouterConfig(), kv_tokens=512)
    router = fleet.coordinator.dispatcher._router
    foreseen: list[int] = []
    original = router.place

    def place(*args: Any) -> Any:
        work, placement = original(*args)
        assert placement is not None
        reusable = (work.tokens - 1) // 16 * 16
        foreseen.append(min(reusable, work.cached_tokens.get(placement.prefill, 0)))
        return work, placement

    router.place = place  # type: ignore[method-assign]
    happened = []
    for number in range(40):
        answer = await ask(fleet, conversation(number))
        assert answer.last is not None
        happened.append(answer.last.cached_tokens)
    assert foreseen == happened
    assert sum(happened) > 0
    router.place = original  # type: ignore[method-assign]
    # And all at once, when reports and decisions cross.
    await asyncio.gather(*(ask(fleet, conversation(number)) for number in range(40, 90)))
    await assert_whole(fleet)
    await assert_beliefs_are_true(fleet)


async def test_a_lost_report_is_noticed_and_made_good(start: Start) -> None:
    fleet = await start((0, 0, 1), RouterConfig())
    lost = iter([False, True, False, True])

    def lose_some(report: Report) -> Report:
        if report.stored and next(lost, False):
            number = report.cache_number - 1
            return msgspec.structs.replace(report, stored=[], removed=[], cache_number=number)
        return report

    reports = overheard(fleet, lose_some)
    for number in range(12):
        await ask(fleet, request_of(f"r{number}", range(number, number + 40), 3))
    assert any(report.cached is not None for report in reports)
    await assert_whole(fleet)
    await assert_beliefs_are_true(fleet)


async def test_a_workers_death_clears_what_is_believed_of_it(start: Start) -> None:
    fleet = await start((0, 0, 1), RouterConfig())
    router = fleet.coordinator.dispatcher._router
    await ask(fleet, request_of("r", SHARED, 3))
    assert router.believed("mixed-0")
    fleet.registry["mixed-0"].kill()

    async def gone() -> str | None:
        return "still believed" if router.believed("mixed-0") else None

    await eventually(gone)
    answer = await ask(fleet, request_of("again", SHARED, 3))
    assert answer.last is not None
    assert answer.last.cached_tokens == 0
    await assert_whole(fleet)
    await assert_beliefs_are_true(fleet)


@pytest.mark.parametrize("policy", get_args(PolicyName))
async def test_tokens_do_not_depend_on_the_policy(start: Start, policy: PolicyName) -> None:
    fleet = await start((1, 1, 1), RouterConfig(policy=policy, index="approximate"))
    asked = [conversation(number) for number in range(12)]
    answers = await asyncio.gather(*(ask(fleet, request) for request in asked))
    for request, answer in zip(asked, answers, strict=True):
        assert answer.tokens == expected(request.prompt, request.sampling.max_tokens)
    await assert_whole(fleet)


async def test_a_conditional_router_uses_both_ways_and_every_answer_is_right(start: Start) -> None:
    fleet = await start((1, 1, 0), RouterConfig(conditional=True), prefill_ms=0.3)
    alone = await ask(fleet, request_of("alone", range(30), 4))
    assert alone.last is not None
    assert alone.last.timeline is not None
    assert alone.last.timeline.offered is None  # Nothing to gain from a hand-off.
    asked = [
        with_slo(request_of(f"r{number}", range(number, number + 150), 60), ttft=2.0, tpot=0.02)
        for number in range(24)
    ]
    answers = await asyncio.gather(*(ask(fleet, request) for request in asked))
    handed_off = 0
    for request, answer in zip(asked, answers, strict=True):
        assert answer.tokens == expected(request.prompt, 60)
        assert answer.last is not None
        assert answer.last.timeline is not None
        handed_off += answer.last.timeline.offered is not None
    assert 0 < handed_off < len(asked)
    await assert_whole(fleet)


class Halves:
    """A policy that has one worker compute half of each prompt, and the other the rest."""

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        if len(fleet) < 2:
            return None
        first, second = sorted(fleet, key=lambda view: view.role, reverse=True)
        return Placement(first.name, second.name, 0.1, work.tokens // 2 // 16 * 16)

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        return next((view.name for view in fleet if view.role == "decode"), None)


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodput.router.router.make_policy", lambda config: Halves())


@pytest.mark.usefixtures("halves")
async def test_split_prompts_are_answered_right_and_leave_nothing_behind(start: Start) -> None:
    fleet = await start((1, 1, 0), RouterConfig(), kv_tokens=1024)
    asked = [request_of(f"r{n}", range(n, n + 20 + 10 * n), 30) for n in range(24)]
    answers = await asyncio.gather(*(ask(fleet, request) for request in asked))
    for request, answer in zip(asked, answers, strict=True):
        assert answer.tokens == expected(request.prompt, 30)
        assert answer.last is not None and answer.last.timeline is not None
        stamps = answer.last.timeline
        if len(request.prompt) >= 32:
            assert stamps.prefill_started <= stamps.offered <= stamps.accepted < stamps.first_token
        assert stamps.spans().total() == pytest.approx(stamps.last_token - stamps.received)
    assert all(slot.view.queued_tokens == 0 for slot in fleet.registry)
    await assert_whole(fleet)


@pytest.mark.usefixtures("halves")
@pytest.mark.parametrize("role", ["prefill", "decode"])
async def test_a_worker_that_dies_amid_split_prompts_loses_none(start: Start, role: str) -> None:
    fleet = await start((1, 1, 0), RouterConfig(), prefill_ms=0.3)
    asked = [request_of(f"r{n}", range(n, n + 200), 30) for n in range(12)]
    running = [asyncio.create_task(ask(fleet, request)) for request in asked]
    await asyncio.sleep(0.3)
    next(slot for slot in fleet.registry if slot.role == role).kill()
    for request, answer in zip(asked, await asyncio.gather(*running), strict=True):
        assert answer.tokens == expected(request.prompt, 30)
    assert fleet.coordinator.migrations > 0
    await assert_whole(fleet)


async def test_a_kept_answer_leaves_a_worker_that_drains(start: Start) -> None:
    fleet = await start((1, 2, 0), RouterConfig(conditional=True))
    running = asyncio.create_task(ask(fleet, request_of("r", range(30), 300)))

    async def decoding() -> str | None:
        return None if any(slot.view.load.running for slot in fleet.registry) else "not yet"

    await eventually(decoding)
    slot = next(slot for slot in fleet.registry if fleet.coordinator.holds(slot))
    assert slot.role == "decode"  # The one worker does both, for nobody else needs it.
    assert await fleet.drainer.flip(slot, "prefill")
    answer = await running
    assert answer.tokens == expected(range(30), 300)
    assert answer.last is not None
    assert answer.last.timeline is not None
    assert answer.last.timeline.offered is not None
    await assert_whole(fleet)


async def test_at_the_router_the_least_slack_goes_first(start: Start) -> None:
    fleet = await start((1, 1, 0), RouterConfig(ahead_ms=1.0), prefill_ms=1.0)
    order: list[str] = []

    async def run(request: GenerationRequest) -> None:
        async for delta in fleet.generate(request):
            if request.id not in order:
                order.append(request.id)
            assert delta.request_id == request.id

    await run(request_of("first", range(50), 2))
    asked = [request_of("running", range(300, 500), 2)]
    for name, ttft in (("patient", 60.0), ("urgent", 20.0), ("none", None), ("middle", 40.0)):
        request = request_of(name, range(len(asked), len(asked) + 50), 2)
        asked.append(request if ttft is None else with_slo(request, ttft=ttft))
    tasks = []
    for request in asked:
        tasks.append(asyncio.create_task(run(request)))
        await asyncio.sleep(0)
    assert fleet.coordinator.dispatcher.waiting == 4
    await asyncio.gather(*tasks)
    # What has no SLO is worth a start within 5 s, so it comes before those with more time.
    assert order == ["first", "running", "none", "urgent", "middle", "patient"]
    await assert_whole(fleet)


async def test_admission_refuses_what_cannot_be_kept_and_finishes_the_rest(start: Start) -> None:
    fleet = await start((1, 1, 0), RouterConfig(), prefill_ms=1.0, admission="slo")
    for number in range(3):  # Until something is known of the speeds.
        await ask(fleet, request_of(f"warm{number}", range(number, number + 60), 4))
    asked = [
        with_slo(request_of(f"r{number}", range(number, number + 100), 3), ttft=1.0, tpot=1.0)
        for number in range(30)
    ]
    answers = await asyncio.gather(
        *(ask(fleet, request) for request in asked), return_exceptions=True
    )
    refused = [error for error in answers if isinstance(error, OverloadedError)]
    assert len(refused) + sum(not isinstance(a, BaseException) for a in answers) == 30
    assert 0 < len(refused) < 30
    for error in refused:
        assert error.http_status == 429
        assert error.retry_after_s > 0
        assert "slo" in error.message
    # Those without a promise are never refused.
    await ask(fleet, request_of("plain", range(100), 2))
    await assert_whole(fleet)
