"""Sessions against a scripted server: SLOs, the unloaded latency, turns, closed loops, seeds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.run.promise import parse_promise
from goodput.bench.run.runner import Step
from goodput.bench.run.session import Load, Session, Target
from goodput.bench.run.steps import BenchPlan, run_bench
from goodput.bench.workloads import find_workload
from goodput.bench.workloads.base import Message, PlannedRequest, Workload
from goodput.bench.workloads.mixed import MixedWorkload
from goodput.core.errors import UsageError
from goodput.core.slo import SLO

Start = Any


class Talk(Workload):
    """Conversations of three quick turns."""

    name = "talk"
    slo = SLO(ttft=2.0)

    def request(self, seed: int, index: int) -> PlannedRequest:
        return self.conversation(seed, index)[0]

    def conversation(self, seed: int, index: int) -> list[PlannedRequest]:
        return [
            PlannedRequest(
                messages=(Message("user", f"question {seed} {index} {turn}"),),
                max_tokens=4,
                kind=self.name,
                slo=self.slo,
                follows=turn - 1 if turn else None,
                think_s=0.02 if turn else 0.0,
            )
            for turn in range(3)
        ]


def load(workload: str | Workload = "chat", arrivals: str = "constant", **settings: Any) -> Load:
    found = find_workload(workload) if isinstance(workload, str) else workload
    return Load(workload=found, arrivals=parse_arrivals(arrivals), **settings)


async def test_each_request_has_its_own_slo_and_tells_the_server(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    async with Session(Target(url=server.url), load("mixed", seed=3)) as session:
        outcome = await session.offer(Step(40.0, 0.0, 0.5))
    kinds = {record.workload: record.slo for record in outcome.records}
    assert kinds == {name: find_workload(name).slo for name in ("chat", "code", "summarize")}
    sent = {(r.body["slo"]["ttft_ms"], r.body["slo"]["tpot_ms"]) for r in server.requests}
    assert sent == {(1000.0, 100.0), (600.0, 100.0), (4000.0, 100.0)}


async def test_an_override_holds_for_all(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    bounds = parse_promise("ttft=250ms")
    async with Session(Target(url=server.url), load("mixed", slo=bounds)) as session:
        outcome = await session.offer(Step(20.0, 0.0, 0.3))
    assert {record.slo for record in outcome.records} == {SLO(ttft=0.25)}
    assert all(r.body["slo"] == {"ttft_ms": 250.0} for r in server.requests)


async def test_a_server_that_refuses_the_slo_is_not_told(start: Start, wire: Any) -> None:
    def probe(received: Any) -> list[Any]:
        if "slo" in received.body:
            return [wire.whole(400, {"error": {"message": "Unrecognized argument: slo"}})]
        return [wire.token(), wire.finish, wire.done]

    server = await start(lambda _: [wire.token(), wire.finish, wire.done], probe=probe)
    async with Session(Target(url=server.url), load()) as session:
        outcome = await session.offer(Step(20.0, 0.0, 0.1))
    assert session.dialect.ignore_eos and not session.dialect.slo
    assert all("slo" not in r.body for r in server.requests)
    assert outcome.records[0].slo == SLO(ttft=1.0, tpot=0.1), "it is judged all the same"


async def test_multiples_are_of_each_class_alone_on_the_server(start: Start, wire: Any) -> None:
    def answer(received: Any) -> list[Any]:
        wait = 0.2 if "Summarize" in received.body["messages"][0]["content"] else 0.04
        return [wait, wire.token(), 0.02, wire.token(), wire.finish, wire.done]

    server = await start(answer)
    parts = {find_workload("chat"): 1.0, find_workload("summarize"): 1.0}
    promised = load(MixedWorkload("two", parts), slo=parse_promise("ttft=10x,tpot=100ms"))
    async with Session(Target(url=server.url), promised) as session:
        alone = await session.unloaded()
        asked = len(server.requests)
        assert alone is await session.unloaded() and asked == len(server.requests) == 10
        outcome = await session.offer(Step(20.0, 0.0, 0.5))
    assert set(alone) == {"chat", "summarize"}
    assert alone["chat"].ttft >= 0.04 and alone["summarize"].ttft >= 0.2
    assert alone["chat"].count == 5 and (alone["chat"].tpot or 0.0) >= 0.02
    for record in outcome.records:
        assert record.slo == SLO(ttft=10 * alone[record.workload].ttft, tpot=0.1)
    texts = [r.body["messages"][0]["content"] for r in server.requests]
    assert not set(texts[:asked]) & set(texts[asked:]), "nothing of the run was in the cache"


async def test_relative_is_each_workloads_own_multiples(start: Start, wire: Any) -> None:
    server = await start(lambda _: [0.02, wire.token(), 0.01, wire.token(), wire.finish, wire.done])
    async with Session(Target(url=server.url), load("code", slo=parse_promise("relative"))) as own:
        alone = (await own.unloaded())["code"]
        outcome = await own.offer(Step(20.0, 0.0, 0.1))
    slo = outcome.records[0].slo
    assert slo == SLO(ttft=3 * alone.ttft, tpot=3 * (alone.tpot or 0.0))


async def test_a_run_states_what_was_measured_unloaded(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    plan = BenchPlan(
        target=Target(url=server.url), load=load(unloaded=True), steps=(Step(20.0, 0.0, 0.1),)
    )
    summary, records = await run_bench(plan)
    assert summary.endpoints[0].unloaded["chat"].count == 5
    assert len(server.requests) == len(records) + 5


async def test_a_server_that_fails_while_it_is_alone_cannot_be_measured(
    start: Start, wire: Any
) -> None:
    server = await start(lambda _: [wire.whole(500, {"error": {"message": "no room"}})])
    with pytest.raises(UsageError, match="failed a request of 'chat' that was alone on it: no"):
        async with Session(Target(url=server.url), load(unloaded=True)):
            pass


async def test_later_turns_quote_what_the_model_really_said(start: Start, wire: Any) -> None:
    def answer(received: Any) -> list[Any]:
        name = f"answer to {received.body['messages'][-1]['content']}"
        return [wire.role, wire.token(name[:7]), wire.token(name[7:]), wire.finish, wire.done]

    server = await start(answer)
    async with Session(Target(url=server.url), load(Talk(), "closed:1")) as session:
        outcome = await session.offer(Step(1.0, 0.0, 0.3))
    assert outcome.concurrency == 1 and len(outcome.records) >= 3
    third = next(r for r in server.requests if len(r.body["messages"]) == 5)
    assert [(m["role"], m["content"]) for m in third.body["messages"]] == [
        ("user", "question 0 0 0"),
        ("assistant", "answer to question 0 0 0"),
        ("user", "question 0 0 1"),
        ("assistant", "answer to question 0 0 1"),
        ("user", "question 0 0 2"),
    ]


async def test_sessions_can_share_a_clock_and_seeds_fix_the_load(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    origin = time.monotonic()
    target, step = Target(url=server.url), Step(20.0, 0.0, 0.2)
    outcomes = []
    async with (
        Session(target, load(arrivals="poisson"), origin=origin) as one,
        Session(target, load(arrivals="poisson"), origin=origin) as two,
    ):
        for session, seed in ((one, 5), (two, 5), (one, 6)):
            outcomes.append(await session.offer(step, seed=seed))
    first, second, third = outcomes
    assert first.window.end <= second.window.start <= third.window.start
    offsets = [[r.scheduled - o.window.start for r in o.records] for o in outcomes]
    assert offsets[0] == pytest.approx(offsets[1]) and len(offsets[0]) == len(first.records)
    texts = [r.body["messages"][0]["content"] for r in server.requests]
    count = len(first.records)
    assert texts[:count] == texts[count : 2 * count]
    assert not set(texts[:count]) & set(texts[2 * count :])
    ids = [record.id for outcome in (first, third) for record in outcome.records]
    assert len(set(ids)) == len(ids), "ids are unique in a session"


async def test_a_closed_loop_is_labelled_so(start: Start, wire: Any) -> None:
    server = await start(lambda _: [0.02, wire.token(), wire.finish, wire.done])
    plan = BenchPlan(
        target=Target(url=server.url),
        load=load(arrivals="closed:4"),
        steps=(Step(1.0, 0.0, 0.3),),
    )
    summary, _ = await run_bench(plan)
    assert summary.arrivals == "closed loop of 4"
    assert summary.closed_loop and summary.steps[0].concurrency == 4
    assert "closed loop" in summary.steps[0].label


@pytest.mark.parametrize(
    ("arrivals", "step", "text"),
    [
        ("poisson", Step(1.0, 0.0, 0.0), "duration"),
        ("poisson", Step(0.0, 0.0, 1.0), "rate must be positive"),
        ("poisson", Step(1e6, 0.0, 60.0), "lower the rate"),
        ("trace", Step(1.0, 0.0, 1.0), "only a trace"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_sent(
    arrivals: str, step: Step, text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        load(arrivals=arrivals).check(step)
