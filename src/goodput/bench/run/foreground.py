"""Runs a benchmark in the terminal: its own event loop, the live view, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from rich.console import Console

from goodput.bench.run.ledger import Ledger
from goodput.bench.run.live import LiveView
from goodput.bench.run.loop import new_loop

Work = Callable[[asyncio.Event, LiveView], Awaitable[Ledger]]


def run_in_foreground(work: Work, messages: Console) -> Ledger:
    """Run ``work`` to its end, or to the first Ctrl-C: it sees its event set and returns early.

    A Ctrl-C before the first request, or a second one, raises KeyboardInterrupt: there is nothing
    to report, or no wish to wait for it.
    """
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(_attend(work, messages))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _attend(work: Work, messages: Console) -> Ledger:
    loop = asyncio.get_running_loop()
    working = asyncio.current_task()
    assert working is not None
    stop = asyncio.Event()
    live = LiveView(messages)

    def interrupt() -> None:
        if stop.is_set() or not live.watching:
            working.cancel()
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    showing = asyncio.create_task(live.show())
    try:
        return await work(stop, live)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        loop.remove_signal_handler(signal.SIGINT)
