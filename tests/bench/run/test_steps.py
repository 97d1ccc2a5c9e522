"""Whole runs against a scripted server: the open loop, warm-up, drain, cut-off, interruption."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.run.runner import Step
from goodput.bench.run.session import Load, Target
from goodput.bench.run.steps import BenchPlan, run_bench, split_steps
from goodput.bench.workloads import find_workload
from goodput.core.slo import SLO

Start = Any
GENEROUS = SLO(ttft=5.0, tpot=5.0)


def plan(
    url: str, *steps: Step, timeout_s: float = 120.0, drain_s: float = 30.0, **load: Any
) -> BenchPlan:
    settings = {"workload": find_workload("chat"), "arrivals": parse_arrivals("constant")} | load
    return BenchPlan(
        target=Target(url=url, timeout_s=timeout_s),
        load=Load(**{"slo": GENEROUS, "drain_s": drain_s} | settings),
        steps=steps,
    )


async def test_a_run_counts_what_was_scheduled_in_its_window(start: Start, wire: Any) -> None:
    spans = {"goodput": {"spans_ms": {"prefill": 1.0, "transfer": 2.0}}}
    server = await start(
        lambda r: [*[wire.token()] * 3, wire.finish, wire.usage(r.body["max_tokens"], **spans)]
    )
    summary, records = await run_bench(plan(server.url, Step(20.0, 0.25, 0.5)))
    assert len(records) == len(server.requests) == 15
    figures = summary.steps[0].figures
    assert (figures.scheduled, figures.met, figures.attainment) == (10, 10, 1.0)
    assert figures.goodput == pytest.approx(20.0)
    assert figures.offered_rate == pytest.approx(20.0)
    assert figures.output_tokens == sum(r.body["max_tokens"] for r in server.requests[5:]), (
        "the warm-up's tokens do not count"
    )
    assert figures.handoff is not None and figures.handoff.p50 == pytest.approx(0.002)
    assert summary.model == "toy" and summary.steps[0].drained and not summary.interrupted
    assert [record.id for record in records] == [f"chat-{index}" for index in range(15)]


async def test_a_stalled_server_does_not_stop_the_sends(start: Start, wire: Any) -> None:
    # Nobody is answered before the last request has come: a closed loop would hang here.
    everybody = asyncio.Event()

    def answer(received: Any) -> list[Any]:
        if len(server.requests) == 10:
            everybody.set()
        return [0.5, wire.token(), wire.finish, wire.done]

    server = await start(answer)
    _, records = await run_bench(plan(server.url, Step(20.0, 0.0, 0.5)))
    assert everybody.is_set()
    assert all(record.ttft is not None and record.ttft >= 0.5 for record in records)
    last_sent = max(record.sent or 0.0 for record in records)
    assert last_sent < min(record.first_token or 0.0 for record in records)


async def test_what_the_drain_does_not_wait_for_is_cut_off_and_missed(
    start: Start, wire: Any
) -> None:
    server = await start(lambda _: [wire.token(), 30.0, wire.finish, wire.done])
    summary, records = await run_bench(plan(server.url, Step(20.0, 0.0, 0.25), drain_s=0.1))
    assert {record.status for record in records} == {"cut_off"}
    assert all(record.output_tokens == 1 and record.end is None for record in records)
    assert summary.steps[0].figures.attainment == 0.0
    assert not summary.steps[0].drained


async def test_a_declared_drain_lets_requests_end_after_the_window(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), 0.4, wire.finish, wire.done])
    summary, records = await run_bench(plan(server.url, Step(20.0, 0.0, 0.2), drain_s=20.0))
    window = summary.steps[0].figures.window
    assert all(record.end is not None and record.end > window.end for record in records)
    assert summary.steps[0].figures.attainment == 1.0


async def test_failures_of_every_kind_count(start: Start, wire: Any) -> None:
    scripts = [
        [wire.token(), wire.finish, wire.done],
        [wire.whole(429, {"error": {"message": "later"}})],
        [wire.token(), wire.close],
        [wire.token(), wire.event({"error": {"message": "gone"}})],
        [30.0],
    ]
    server = await start(lambda _: scripts[len(server.requests) - 1])
    summary, _ = await run_bench(plan(server.url, Step(10.0, 0.0, 0.5), timeout_s=0.3))
    figures = summary.steps[0].figures
    assert figures.statuses == {"error": 2, "ok": 1, "rejected": 1, "timeout": 1}
    assert figures.blame == {"error": 2, "rejected": 1, "timeout": 1}
    assert (figures.attainment, figures.rejected) == (0.2, 1)


async def test_rates_are_steps_with_windows_of_their_own(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    steps = split_steps([10.0, 20.0], duration=1.0, warmup=0.1)
    summary, records = await run_bench(plan(server.url, *steps))
    first, second = (step.figures for step in summary.steps)
    assert (first.scheduled, second.scheduled) == (5, 10)
    assert first.window.end <= second.window.start
    assert len({tuple(m["content"] for m in r.body["messages"]) for r in server.requests}) == len(
        records
    ), "no prompt comes twice in a run"


async def test_a_window_stays_open_to_its_end_though_all_is_answered(
    start: Start, wire: Any
) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    summary, records = await run_bench(plan(server.url, Step(2.0, 0.0, 0.4), Step(20.0, 0.2, 0.2)))
    first, second = (step.figures for step in summary.steps)
    assert first.window.end <= records[1].scheduled < second.window.start


async def test_stopping_cuts_the_window_and_says_so(start: Start, wire: Any) -> None:
    stop = asyncio.Event()

    def answer(received: Any) -> list[Any]:
        if len(server.requests) == 4:
            stop.set()
        return [wire.token(), wire.finish, wire.done]

    server = await start(answer)
    summary, records = await run_bench(plan(server.url, Step(10.0, 0.0, 60.0)), stop=stop)
    assert summary.interrupted and not summary.valid
    assert 4 <= len(records) < 20, "what was due later was never scheduled"
    assert summary.steps[0].figures.window.seconds < 5.0
    assert any("interrupted after" in reason for reason in summary.invalid_reasons())


async def test_stopping_in_the_warm_up_leaves_records_but_no_figures(
    start: Start, wire: Any
) -> None:
    stop = asyncio.Event()

    def answer(received: Any) -> list[Any]:
        stop.set()
        return [wire.token(), wire.finish, wire.done]

    server = await start(answer)
    summary, records = await run_bench(plan(server.url, Step(10.0, 60.0, 60.0)), stop=stop)
    assert records and summary.steps == [] and not summary.valid
    assert summary.invalid_reasons() == ["interrupted before anything was measured"]
