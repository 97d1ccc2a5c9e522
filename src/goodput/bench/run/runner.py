"""The load: requests leave at times that were fixed before, whatever the server does."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field

from goodput.bench.run.flight import Flight
from goodput.core.alarm import Sleeper
from goodput.core.record import RequestRecord
from goodput.core.validity import Window

Send = Callable[[Flight], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]

# The first request is due this long after the schedule is laid down, so that it is not late.
_LEAD_S = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """One offered rate: ``warmup`` seconds that are not measured, then ``duration`` that are."""

    rate: float
    warmup: float
    duration: float

    @property
    def length(self) -> float:
        """Seconds during which requests are scheduled."""
        return self.warmup + self.duration


@dataclass(slots=True)
class Outcome:
    """A step's records and what is needed to judge them. Times are on the run's clock.

    Of a closed loop (``concurrency`` users), ``step.rate`` is what it came to.
    """

    step: Step
    window: Window
    records: list[RequestRecord]
    drained: bool
    interrupted: bool
    client_cpu_share: float
    concurrency: int | None = None


@dataclass(slots=True)
class Tally:
    """Running figures of the measured window, for the live display only."""

    sent: int = 0
    done: int = 0
    measured: int = 0
    met: int = 0
    ttfts: list[float] = field(default_factory=list)
    tpots: list[float] = field(default_factory=list)

    def close(self, record: RequestRecord, window: Window) -> None:
        """Count a request that has ended."""
        self.done += 1
        if not window.start <= record.scheduled < window.end:
            return
        self.measured += 1
        self.met += record.met()
        if record.ttft is not None:
            self.ttfts.append(record.ttft)
        if record.tpot is not None:
            self.tpots.append(record.tpot)


@dataclass(slots=True)
class Runner:
    """Runs steps one after the other on one event loop.

    ``send`` fills a flight's record. ``now`` is the run's clock in seconds. ``drain_s`` is how long
    requests may go on after a step's last scheduled moment; what is unfinished then is cut off and
    misses. Setting ``stop`` ends the run at once: later requests were never scheduled, those in
    flight are cut off.
    """

    send: Send
    now: Callable[[], float]
    stop: asyncio.Event
    drain_s: float

    async def run(self, step: Step, flights: Sequence[Flight], tally: Tally) -> Outcome:
        """Open loop: send each flight ``due`` seconds (sorted) after the step's start.

        Later turns leave when those before them have ended, or not at all after the window. The
        records are filled in place and their ``scheduled`` is set; they belong to the caller.
        """

        async def dispatch(load: _Load) -> None:
            opening = [flight for flight in flights if flight.request.follows is None]
            for flight in opening:
                load.schedule(flight, load.start + flight.due)
            for flight in opening:
                await load.sleep(flight.record.scheduled - self.now())
                if self.now() >= load.deadline:
                    return
                load.spawn(load.converse(flight))

        return await self._run(step, dispatch, tally)

    async def run_closed(
        self, step: Step, users: int, conversations: Iterator[Flight], tally: Tally
    ) -> Outcome:
        """Closed loop: each of ``users`` holds one conversation after the other until the end."""

        async def use(load: _Load) -> None:
            while self.now() < load.window.end:
                flight = next(conversations)
                load.schedule(flight, self.now())
                await load.converse(flight)

        async def dispatch(load: _Load) -> None:
            await load.sleep(load.start - self.now())
            for _ in range(users):
                load.spawn(use(load))

        outcome = await self._run(step, dispatch, tally)
        seconds = outcome.window.seconds
        rate = len(outcome.window.measured(outcome.records)) / seconds if seconds > 0 else 0.0
        outcome.step = Step(rate, step.warmup, step.duration)
        outcome.concurrency = users
        return outcome

    async def _run(
        self, step: Step, dispatch: Callable[[_Load], Coroutine[None, None, None]], tally: Tally
    ) -> Outcome:
        # A collection of everything that was made before would stop the client for milliseconds.
        gc.collect()
        gc.freeze()
        cpu = time.process_time()
        start = self.now() + _LEAD_S
        window = Window(start=start + step.warmup, end=start + step.length)
        try:
            async with Sleeper() as sleeper:
                load = _Load(self, start, window, tally, sleeper.sleep)
                interrupted, drained = await load.drive(dispatch(load))
        finally:
            gc.unfreeze()
        ended = self.now()
        # Later turns were scheduled after all openings.
        records = sorted(load.records, key=lambda record: record.scheduled)
        window = load.window
        if interrupted:
            records = [record for record in records if record.scheduled < ended]
            window = Window(start=window.start, end=max(window.start, min(window.end, ended)))
        return Outcome(
            step=step,
            window=window,
            records=records,
            drained=drained,
            interrupted=interrupted,
            client_cpu_share=(time.process_time() - cpu) / (ended - start + _LEAD_S),
        )


class _Load:
    """What is in the air during one step."""

    def __init__(
        self, runner: Runner, start: float, window: Window, tally: Tally, sleep: Sleep
    ) -> None:
        self._runner = runner
        self.sleep = sleep
        self._tally = tally
        self._flying: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._empty = asyncio.Event()
        self.start = start
        self.window = window
        self.deadline = window.end + runner.drain_s
        self.records: list[RequestRecord] = []

    def schedule(self, flight: Flight, at: float) -> None:
        """Fix the moment: from now on the request counts, whatever becomes of it."""
        flight.record.scheduled = at
        self.records.append(flight.record)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` beside the rest of the step."""
        task = asyncio.create_task(work)
        self._flying.add(task)
        task.add_done_callback(self._land)

    async def converse(self, first: Flight) -> None:
        """Send a scheduled flight, then its later turns as long as they fall into the step."""
        flight: Flight | None = first
        while flight is not None:
            if (wait := flight.record.scheduled - self._runner.now()) > 0:
                await self.sleep(wait)
            self._tally.sent += 1
            await self._runner.send(flight)
            self._tally.close(flight.record, self.window)
            flight.land()
            ended, flight = flight.record.end, flight.later
            if flight is not None:
                due = (self._runner.now() if ended is None else ended) + flight.request.think_s
                if due >= self.window.end:
                    return
                self.schedule(flight, due)

    async def drive(self, dispatch: Coroutine[None, None, None]) -> tuple[bool, bool]:
        """Dispatch and drain; whether the run was interrupted, and whether nothing was cut off."""
        stop, flying, failures = self._runner.stop, self._flying, self._failures
        stopping = asyncio.create_task(stop.wait())
        dispatching = asyncio.create_task(dispatch)
        try:
            await asyncio.wait({stopping, dispatching}, return_when=asyncio.FIRST_COMPLETED)
            while not stop.is_set() and not failures:
                # The window stays open to its end, even when all that was due in it is answered.
                until = self.deadline if flying else self.window.end
                if (left := until - self._runner.now()) <= 0:
                    break
                # One task for all that flies: waiting for hundreds anew at each landing would
                # hold up the stamps of those still in the air.
                self._empty.clear()
                emptying = asyncio.create_task(self._empty.wait())
                await asyncio.wait(
                    {stopping, emptying}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                emptying.cancel()
        finally:
            drained = not flying
            tasks = [stopping, dispatching, *flying]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if dispatching.done() and not dispatching.cancelled() and dispatching.exception():
            failures.append(dispatching.exception() or RuntimeError())
        if failures:
            raise failures[0]
        return stop.is_set(), drained

    def _land(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)
        if not self._flying or self._failures:
            self._empty.set()
