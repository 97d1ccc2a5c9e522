"""The open loop: requests leave at the times that were fixed before, whatever the server does."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from goodput.core.record import RequestRecord
from goodput.core.slo import SLO
from goodput.core.validity import Window

Send = Callable[[RequestRecord, bytes], Awaitable[None]]

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
    """A step's records and what is needed to judge them. Times are on the run's clock."""

    step: Step
    window: Window
    records: list[RequestRecord]
    drained: bool
    interrupted: bool
    client_cpu_share: float


@dataclass(slots=True)
class Tally:
    """Running figures of the measured window, for the live display only."""

    slo: SLO
    sent: int = 0
    done: int = 0
    measured: int = 0
    met: int = 0
    ttfts: list[float] = field(default_factory=list)

    def close(self, record: RequestRecord, window: Window) -> None:
        """Count a request that has ended."""
        self.done += 1
        if not window.start <= record.scheduled < window.end:
            return
        self.measured += 1
        self.met += record.met(self.slo)
        if record.ttft is not None:
            self.ttfts.append(record.ttft)


@dataclass(slots=True)
class Runner:
    """Runs steps one after the other on one event loop.

    ``now`` is the run's clock in seconds. ``drain_s`` is how long requests may go on after a
    step's last scheduled moment; what is unfinished then is cut off and misses. Setting ``stop``
    ends the run at once: later requests were never scheduled, those in flight are cut off.
    """

    send: Send
    now: Callable[[], float]
    stop: asyncio.Event
    drain_s: float

    async def run(
        self,
        step: Step,
        due: Sequence[float],
        requests: Sequence[tuple[RequestRecord, bytes]],
        tally: Tally,
    ) -> Outcome:
        """Send ``requests[i]`` ``due[i]`` seconds (sorted) after the step's start.

        The records are filled in place and their ``scheduled`` is set; they belong to the caller.
        """
        # A collection of everything that was made before would stop the client for milliseconds.
        gc.collect()
        gc.freeze()
        cpu = time.process_time()
        start = self.now() + _LEAD_S
        window = Window(start=start + step.warmup, end=start + step.length)
        for offset, (record, _) in zip(due, requests, strict=True):
            record.scheduled = start + offset
        interrupted, drained = await self._drive(requests, window, tally)
        ended = self.now()
        records = [record for record, _ in requests]
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

    async def _drive(
        self, requests: Sequence[tuple[RequestRecord, bytes]], window: Window, tally: Tally
    ) -> tuple[bool, bool]:
        """Dispatch and drain; whether the run was interrupted, and whether nothing was cut off."""
        flying: set[asyncio.Task[None]] = set()
        failures: list[BaseException] = []
        deadline = window.end + self.drain_s

        async def fly(record: RequestRecord, body: bytes) -> None:
            await self.send(record, body)
            tally.close(record, window)

        def land(task: asyncio.Task[None]) -> None:
            flying.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                failures.append(error)

        async def dispatch() -> None:
            for record, body in requests:
                await asyncio.sleep(record.scheduled - self.now())
                if self.now() >= deadline:
                    return
                task = asyncio.create_task(fly(record, body))
                task.add_done_callback(land)
                flying.add(task)
                tally.sent += 1

        stopping = asyncio.create_task(self.stop.wait())
        dispatching = asyncio.create_task(dispatch())
        try:
            await asyncio.wait({stopping, dispatching}, return_when=asyncio.FIRST_COMPLETED)
            while not self.stop.is_set():
                # The window stays open to its end, even when all that was due in it is answered.
                until = deadline if flying else window.end
                if (left := until - self.now()) <= 0:
                    break
                await asyncio.wait(
                    {stopping, *flying}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
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
        return self.stop.is_set(), drained
