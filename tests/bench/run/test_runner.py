"""The runner by itself: schedules that are never re-based, turns, users, what was never sent."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from goodput.bench.run.flight import Flight, make_flights
from goodput.bench.run.runner import Runner, Send, Step, Tally
from goodput.bench.workloads.base import Message, PlannedRequest, Timed
from goodput.core.record import RequestRecord, TokenStamp
from goodput.core.validity import invalid_reasons


def asked(text: str = "hi", **fields: Any) -> PlannedRequest:
    return PlannedRequest(messages=(Message("user", text),), max_tokens=5, **fields)


def flights(*due: float) -> list[Flight]:
    return link([Timed(at, asked()) for at in due])


def link(plan: list[Timed]) -> list[Flight]:
    return make_flights(
        plan, [RequestRecord(id=str(i), workload="w", scheduled=0.0) for i in range(len(plan))]
    )


def runner(send: Send, drain_s: float = 5.0) -> Runner:
    return Runner(send, asyncio.get_running_loop().time, asyncio.Event(), drain_s)


def answered(record: RequestRecord) -> None:
    now = asyncio.get_running_loop().time()
    record.sent = record.sent or now
    record.token_times = [TokenStamp(now)]
    record.output_tokens = 1
    record.end, record.status = now, "ok"


async def test_a_client_that_is_held_up_stays_on_its_schedule_and_is_invalid() -> None:
    """The loop is blocked once: what is due then leaves late, what is due later does not."""

    async def send(flight: Flight) -> None:
        answered(flight.record)
        if flight.record.id == "2":
            time.sleep(0.25)  # noqa: ASYNC251 (the client as its own bottleneck)

    load = flights(*(i / 10 for i in range(10)))
    outcome = await runner(send).run(Step(10.0, 0.0, 1.0), load, Tally())
    records = outcome.records
    gaps = [b.scheduled - a.scheduled for a, b in itertools.pairwise(records)]
    assert gaps == pytest.approx([0.1] * 9), "the schedule is never re-based"
    assert (records[3].late or 0.0) > 0.1
    assert (records[3].ttft or 0.0) > 0.1, "waiting in the client counts as waiting"
    assert "the client sent late" in invalid_reasons(outcome.records, outcome.window)[0]


async def test_requests_that_the_client_never_got_to_are_never_sent() -> None:
    async def send(flight: Flight) -> None:
        answered(flight.record)
        time.sleep(0.5)  # noqa: ASYNC251

    load = flights(0.0, 0.05, 0.1, 0.15)
    outcome = await runner(send, drain_s=0.0).run(Step(20.0, 0.0, 0.2), load, Tally())
    assert [record.status for record in outcome.records] == ["ok", *["never_sent"] * 3]


async def test_a_bug_in_the_client_is_not_taken_for_a_measurement() -> None:
    async def send(flight: Flight) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await runner(send).run(Step(1.0, 0.0, 0.1), flights(0.0), Tally())


async def test_a_turn_waits_for_the_answer_and_the_thought_after_it() -> None:
    seen: list[tuple[str, ...]] = []

    async def send(flight: Flight) -> None:
        flight.record.sent = asyncio.get_running_loop().time()
        seen.append(tuple(message.content for message in flight.messages))
        await asyncio.sleep(0.05)
        if flight.answer is not None:
            flight.answer += ["yes, ", flight.messages[-1].content]
        answered(flight.record)

    plan = [
        Timed(0.0, asked("a")),
        Timed(0.1, asked("b", follows=0, think_s=0.1)),
        Timed(0.0, asked("other")),
        Timed(0.2, asked("c", follows=1, think_s=0.1)),
    ]
    outcome = await runner(send).run(Step(4.0, 0.0, 1.0), link(plan), Tally())
    first, other, second, third = outcome.records
    assert [record.id for record in outcome.records] == ["0", "2", "1", "3"], "by their moment"
    assert second.scheduled == pytest.approx((first.end or 0) + 0.1)
    assert third.scheduled == pytest.approx((second.end or 0) + 0.1)
    assert other.scheduled == first.scheduled
    assert seen == [
        ("a",),
        ("other",),
        ("a", "yes, a", "b"),
        ("a", "yes, a", "b", "yes, b", "c"),
    ]


async def test_a_turn_after_the_window_was_never_scheduled() -> None:
    async def send(flight: Flight) -> None:
        await asyncio.sleep(0.3)
        answered(flight.record)

    plan = [Timed(0.0, asked()), Timed(0.1, asked(follows=0, think_s=0.1))]
    outcome = await runner(send).run(Step(1.0, 0.0, 0.2), link(plan), Tally())
    assert [record.id for record in outcome.records] == ["0"]
    assert outcome.drained


async def test_a_failed_turn_does_not_rid_the_server_of_the_next_ones() -> None:
    histories: list[tuple[Message, ...]] = []

    async def send(flight: Flight) -> None:
        histories.append(flight.messages)
        answered(flight.record)
        flight.record.fail("rejected", "later")

    plan = [Timed(0.0, asked()), Timed(0.0, asked("again", follows=0))]
    outcome = await runner(send).run(Step(1.0, 0.0, 0.2), link(plan), Tally())
    assert [record.status for record in outcome.records] == ["rejected", "rejected"]
    assert [message.role for message in histories[1]] == ["user", "assistant", "user"]


def test_two_requests_cannot_follow_the_same_one() -> None:
    plan = [Timed(0.0, asked()), Timed(0.0, asked(follows=0)), Timed(0.0, asked(follows=0))]
    with pytest.raises(ValueError, match="follow the same one"):
        link(plan)


async def test_users_of_a_closed_loop_wait_for_their_answers() -> None:
    flying = most = 0

    async def send(flight: Flight) -> None:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        flight.record.sent = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        answered(flight.record)
        flying -= 1

    def conversations() -> Iterator[Flight]:
        while True:
            yield link([Timed(0.0, asked()), Timed(0.0, asked(follows=0))])[0]

    step = Step(1.0, 0.1, 0.5)
    outcome = await runner(send).run_closed(step, 3, conversations(), Tally())
    assert most == outcome.concurrency == 3
    assert len(outcome.records) >= 6
    measured = outcome.window.measured(outcome.records)
    assert outcome.step.rate == pytest.approx(len(measured) / 0.5)
    assert outcome.records == sorted(outcome.records, key=lambda record: record.scheduled)
    assert all(record.status == "ok" for record in outcome.records), "the last ones were awaited"


async def test_a_tally_counts_what_has_ended_in_the_window() -> None:
    async def send(flight: Flight) -> None:
        answered(flight.record)

    tally = Tally()
    load = flights(0.0, 0.05, 0.15)
    await runner(send).run(Step(20.0, 0.1, 0.1), load, tally)
    assert (tally.sent, tally.done, tally.measured, tally.met) == (3, 3, 1, 1)
    assert len(tally.ttfts) == 1 and tally.tpots == []
