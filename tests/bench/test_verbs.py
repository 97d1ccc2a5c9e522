"""``bench sweep``, ``search`` and ``compare`` against scripted servers on real sockets."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from rich.console import Console

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.compare.drive import run_compare
from goodput.bench.run.live import LiveView
from goodput.bench.run.runner import Step, Tally
from goodput.bench.run.session import Load, Target
from goodput.bench.run.steps import BenchPlan
from goodput.bench.search.drive import Effort, run_search
from goodput.bench.search.policy import RateSearch
from goodput.bench.sweep import Scales, run_sweep
from goodput.bench.workloads import find_workload
from goodput.cli import main
from goodput.core import validity
from goodput.core.slo import SLO

Start = Any


@pytest.fixture(autouse=True)
def late_client_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy test machine sends late; what that does to a run has tests of its own."""
    monkeypatch.setattr(validity, "MAX_LATE_P99_S", 60.0)


def load(slo: SLO | None = None) -> Load:
    return Load(
        workload=find_workload("chat"),
        arrivals=parse_arrivals("constant"),
        slo=slo or SLO(ttft=30.0),
        drain_s=5.0,
    )


def quiet() -> LiveView:
    return LiveView(Console(file=io.StringIO()))


def refusing_above(limit: float, wire: Any) -> Any:
    """Answers what comes no closer than ``1 / limit`` seconds after the last; rejects the rest."""
    last = [0.0]

    def answer(received: Any) -> list[Any]:
        # By the schedule, not the clock: a slow machine must not change what is too much.
        gap, last[0] = received.at - last[0], received.at
        if gap < 1 / limit:
            return [wire.whole(429, {"error": {"message": "later"}})]
        return [wire.token(), wire.finish, wire.done]

    return answer


EFFORT = Effort(budget_s=60.0, warmup_s=0.0, duration_s=0.3, requests=6, tolerance=1.0)


async def test_a_search_finds_the_rate_from_which_a_server_refuses(start: Start, wire: Any) -> None:
    server = await start(refusing_above(30.0, wire))
    policy = RateSearch(start=8.0, lowest=1.0, highest=200.0, target=0.9)
    live = quiet()
    summary, records = await run_search(
        Target(url=server.url), load(), policy, EFFORT, asyncio.Event(), live
    )
    assert summary.verb == "search" and summary.search is not None
    found = summary.search
    assert found.censored == "none" and 4.0 < found.low <= found.rate <= found.high < 128.0
    assert any(judged.attainment < 0.9 for judged in found.judged)
    assert sum(judged.trials for judged in found.judged) == sum(
        step.figures.scheduled for step in summary.steps
    )
    assert len(records) == summary.records == len(server.requests)
    prompts = {request.body["messages"][-1]["content"] for request in server.requests}
    assert len(prompts) == len(server.requests), "every window has prompts of its own"
    assert "Goodput is " in found.words and "95 % interval" in found.words


async def test_a_search_stops_at_once_and_keeps_what_was_judged(start: Start, wire: Any) -> None:
    stop = asyncio.Event()

    def answer(received: Any) -> list[Any]:
        if len(server.requests) == 10:
            stop.set()
        return [wire.token(), wire.finish, wire.done]

    server = await start(answer)
    policy = RateSearch(start=20.0, lowest=1.0, highest=200.0, target=0.9)
    summary, _ = await run_search(Target(url=server.url), load(), policy, EFFORT, stop, quiet())
    assert summary.interrupted and not summary.valid
    assert summary.search is not None and summary.search.censored == "above"
    assert sum(judged.trials for judged in summary.search.judged) == 6


async def test_a_comparison_takes_turns_and_asks_all_the_same(start: Start, wire: Any) -> None:
    order: list[str] = []

    def server_of(name: str) -> Any:
        def answer(received: Any) -> list[Any]:
            order.append(name)
            return [wire.token(), wire.token(), wire.finish, wire.done]

        return answer

    a, b = await start(server_of("a")), await start(server_of("b"))
    targets = {"a": Target(url=a.url), "b": Target(url=b.url)}
    summary, records = await run_compare(
        targets, load(), Step(20.0, 0.0, 0.2), 4, asyncio.Event(), quiet()
    )
    assert order[::4] == ["a", "b", "b", "a", "a", "b", "b", "a"]
    asked = [[r.body["messages"] for r in server.requests] for server in (a, b)]
    assert asked[0] == asked[1] and len(records) == 32
    assert [step.endpoint for step in summary.steps] == ["a", "b", "b", "a", "a", "b", "b", "a"]
    starts = [step.figures.window.start for step in summary.steps]
    assert starts == sorted(starts), "all servers' records count from one clock"
    assert summary.compare is not None and summary.compare.baseline == "a"
    assert summary.compare.blocks == 4


async def test_a_comparison_that_is_stopped_counts_whole_blocks_only(
    start: Start, wire: Any
) -> None:
    stop = asyncio.Event()

    def answer(received: Any) -> list[Any]:
        if len(b.requests) == 6:
            stop.set()
        return [wire.token(), wire.finish, wire.done]

    a = await start(lambda _: [wire.token(), wire.finish, wire.done])
    b = await start(answer)
    targets = {"a": Target(url=a.url), "b": Target(url=b.url)}
    summary, records = await run_compare(targets, load(), Step(20.0, 0.0, 0.2), 4, stop, quiet())
    assert summary.interrupted and summary.compare is not None
    assert summary.compare.blocks == 1
    assert len(records) == summary.records


async def test_a_sweep_judges_the_highest_rate_at_target_by_every_scale(
    start: Start, wire: Any
) -> None:
    def answer(received: Any) -> list[Any]:
        if len(server.requests) > 12:
            return [wire.whole(429, {"error": {"message": "later"}})]
        return [wire.token(), wire.finish, wire.done]

    server = await start(answer)
    steps = tuple(Step(rate, 0.0, 0.2) for rate in (20.0, 40.0, 60.0))
    plan = BenchPlan(target=Target(url=server.url), load=load(), steps=steps)
    scales = Scales((1e-9, 1.0))
    summary, _ = await run_sweep(plan, scales, stop=asyncio.Event(), watch=lambda *_: None)
    assert summary.verb == "sweep" and summary.sweep is not None
    assert summary.sweep.rate == 40.0 and summary.sweep.tightest == 1.0
    assert [point.met for point in summary.sweep.scales] == [0, 8]


def test_the_live_view_shows_progress_attainment_and_percentiles() -> None:
    view = quiet()
    tally = Tally(sent=9, done=8, measured=4, met=3, ttfts=[0.1] * 4, tpots=[0.02] * 4)
    view.watch(Step(2.0, 1.0, 4.0), tally)
    console = Console(file=io.StringIO(), width=120)
    console.print(view.view(view._started + 3.0))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "2 req/s" in shown and "measuring 3/5 s" in shown and "━" in shown
    assert "met 75% of 4" in shown and "TTFT p50 100" in shown and "TPOT p50 20" in shown


def test_what_cannot_work_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for line, text in (
        ("sweep h --rates 1,2 --scale-rate 3", "--scale-rate 3 is not one of --rates"),
        ("run h --rates 0", "--rates must be positive numbers, not '0'"),
        ("sweep h --scales 0", "--scales must be positive numbers, not '0'"),
        ("search h --arrivals closed:4", "a search needs an open loop"),
        ("search h --budget 10s", "--budget 10s does not hold one window at 1 req/s"),
        ("search h --target 1", "a search needs an attainment target below 100 %"),
        ("search h --tolerance 0", "--tolerance must be positive, not 0"),
        ("compare a=h", "there must be at least two servers to compare"),
        ("compare a=h a=i", "two of the servers to compare are named 'a'"),
        ("compare http://h b=i", "a server to compare is given like ours=URL, not 'http://h'"),
        ("compare a=h b=i --slo relative", "a comparison needs an SLO in absolute times"),
        ("compare a=h b=i --arrivals closed:4", "a comparison needs an open loop"),
        ("report /nowhere", "cannot read /nowhere/summary.json"),
    ):
        assert main(["bench", *line.split()]) == 2, line
        out, errors = capsys.readouterr()
        assert out == "" and errors.startswith(f"goodput: {text}"), errors
        assert errors.count("\n") == 1
