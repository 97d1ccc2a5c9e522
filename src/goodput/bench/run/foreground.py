"""Runs a benchmark in the terminal: its own event loop, the live line, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys

from rich.console import Console

from goodput.bench.run.live import LiveLine
from goodput.bench.run.runner import Step, Tally
from goodput.bench.run.session import BenchPlan, run_bench
from goodput.bench.summary import BenchSummary
from goodput.core.record import RequestRecord

Run = tuple[BenchSummary, list[RequestRecord]]


def run_in_foreground(plan: BenchPlan, api_key: str | None, messages: Console) -> Run:
    """Run ``plan`` to its end, or to the first Ctrl-C: then the summary is marked interrupted.

    A Ctrl-C before the first request, or a second one, raises KeyboardInterrupt: there is nothing
    to report, or no wish to wait for it.
    """
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            return runner.run(_work(plan, api_key, messages))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _work(plan: BenchPlan, api_key: str | None, messages: Console) -> Run:
    loop = asyncio.get_running_loop()
    working = asyncio.current_task()
    assert working is not None
    stop = asyncio.Event()
    line = LiveLine(messages)
    started = False

    def watch(step: Step, tally: Tally) -> None:
        nonlocal started
        started = True
        line.watch(step, tally)

    def interrupt() -> None:
        if stop.is_set() or not started:
            working.cancel()
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    showing = asyncio.create_task(line.show())
    try:
        return await run_bench(plan, api_key=api_key, stop=stop, watch=watch)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        loop.remove_signal_handler(signal.SIGINT)


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where there is one: it takes the client half the time per chunk."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()
