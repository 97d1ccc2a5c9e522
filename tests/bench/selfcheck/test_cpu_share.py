"""Whose processor time the client's share is: all its threads', and no other process's."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from goodput.bench.run.flight import Flight
from goodput.bench.run.runner import Outcome, Runner, Step, Tally
from goodput.bench.workloads.base import PlannedRequest
from goodput.core.record import RequestRecord

BURN_S = 0.4
BURNING = f"import time\nwhile time.process_time() < {BURN_S}: pass"


async def run_once(work: Callable[[], object]) -> tuple[Outcome, float]:
    """One request during which ``work`` goes on in another thread; the step's length in seconds."""
    loop = asyncio.get_running_loop()

    async def send(flight: Flight) -> None:
        flight.record.sent = loop.time()
        await loop.run_in_executor(None, work)
        flight.record.status, flight.record.end = "ok", loop.time()

    record = RequestRecord(id="r", workload="w", scheduled=0.0)
    flight = Flight(record=record, request=PlannedRequest(messages=(), max_tokens=1), due=0.0)
    runner = Runner(send, loop.time, asyncio.Event(), 60.0)
    started = loop.time()
    outcome = await runner.run(Step(1.0, 0.0, 0.5), [flight], Tally())
    return outcome, loop.time() - started


async def test_a_server_that_was_started_here_does_not_count() -> None:
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    outcome, seconds = await run_once(lambda: subprocess.run([sys.executable, "-c", BURNING]))
    spent = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
    assert spent > 0.8 * BURN_S, "the child did burn"
    assert outcome.client_cpu_share * seconds < 0.5 * BURN_S


async def test_the_clients_own_threads_do() -> None:
    def burn() -> None:
        while time.thread_time() < BURN_S:
            pass

    def work() -> None:
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()

    outcome, seconds = await run_once(work)
    # At least: whatever else this process does meanwhile is the client's own too.
    assert outcome.client_cpu_share * seconds > 0.8 * BURN_S
