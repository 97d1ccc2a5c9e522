"""One server under one load: find out what it accepts, then offer it steps."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from goodput.bench.arrivals import Arrivals, ClosedLoop
from goodput.bench.arrivals.base import check_rate
from goodput.bench.run.flight import Flight, make_flights
from goodput.bench.run.promise import Promise, bounds_of, needs_unloaded
from goodput.bench.run.runner import Outcome, Runner, Step, Tally
from goodput.bench.run.unloaded import measure_unloaded
from goodput.bench.summary import EndpointSummary
from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.dialect import Dialect, EndpointKind, find_dialect, first_model
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.wire.token_count import local_counter
from goodput.bench.workloads.base import PlannedRequest, Timed, Workload
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO
from goodput.core.slo_spec import Unloaded

Watch = Callable[[Step, Tally], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server and how it is asked: ``model`` None is its first. Times in seconds."""

    url: str
    model: str | None = None
    api_key: str | None = None
    timeout_s: float = 120.0
    endpoint: EndpointKind = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is offered, and what was promised; ``slo`` None is each request's own bounds.

    ``unloaded``: measure the unloaded latency first, also where the SLO is in seconds already, so
    that a report can state it both ways.
    """

    workload: Workload
    arrivals: Arrivals
    seed: int = 0
    slo: Promise = None
    drain_s: float = 30.0
    unloaded: bool = False

    def check(self, step: Step) -> None:
        """Raise UsageError that names what cannot work in ``step``, before anything is sent."""
        if step.duration <= 0:
            raise UsageError("the duration must be longer than 0 s")
        if not isinstance(self.arrivals, ClosedLoop):
            check_rate(step.rate, 0.0, step.length)
            self.workload.plan(step.rate, 0.0, 1 / step.rate, self.seed, self.arrivals)


class Session:
    """An asynchronous context: the connections to one server, and what is known about it.

    ``origin`` is the machine's monotonic clock at which the records' clock starts; sessions that
    are compared share one. Setting ``stop`` ends a step early: it comes back as interrupted.
    Entering raises UsageError when the server cannot work at all, and measures the unloaded
    latency when the load wants it or the SLO has multiples of it.
    """

    model: str
    dialect: Dialect

    def __init__(
        self,
        target: Target,
        load: Load,
        stop: asyncio.Event | None = None,
        *,
        origin: float | None = None,
    ) -> None:
        if target.timeout_s <= 0:
            raise UsageError("the request timeout must be longer than 0 s")
        self.load = load
        self.origin = time.monotonic() if origin is None else origin
        self._target = target
        self._stop = stop or asyncio.Event()
        self._endpoint = Endpoint(target.url, target.api_key)
        self._numbers = itertools.count()
        self._unloaded: dict[str, Unloaded] | None = None
        self._exits = AsyncExitStack()

    @property
    def url(self) -> str:
        """The server's address, with ``/v1``."""
        return self._endpoint.url

    def now(self) -> float:
        """Seconds on the records' clock."""
        return time.monotonic() - self.origin

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as entering:
            await entering.enter_async_context(self._endpoint)
            self.model = self._target.model or await first_model(self._endpoint)
            self.dialect = await find_dialect(
                self._endpoint, self.model, kind=self._target.endpoint
            )
            self._client = BenchClient(
                self._endpoint,
                self.now,
                self._target.timeout_s,
                path=self.dialect.path,
                count_tokens=local_counter(self.model),
            )
            if self.load.unloaded or needs_unloaded(self.load.slo):
                await self.unloaded()
            self._exits = entering.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def unloaded(self) -> dict[str, Unloaded]:
        """What each class of the workload takes when nothing else runs; measured once, then kept.

        A few typical requests one after the other, in none of the records. Raises UsageError when
        the server fails one of them.
        """
        if self._unloaded is None:
            self._unloaded = {
                one.name: await measure_unloaded(one, self._send, self.now)
                for one in self.load.workload.classes()
            }
        return self._unloaded

    def describe(self, name: str = "") -> EndpointSummary:
        """The server for a summary, under the user's ``name`` for it."""
        return EndpointSummary(
            name=name,
            url=self.url,
            model=self.model,
            dialect=self.dialect,
            unloaded=self._unloaded or {},
        )

    def slo_of(self, request: PlannedRequest) -> SLO:
        """The bounds that a request of this load is judged by."""
        return bounds_of(request, self.load.slo, self.load.workload, self._unloaded or {})

    async def offer(
        self, step: Step, *, seed: int | None = None, watch: Watch | None = None
    ) -> Outcome:
        """Run one step; ``seed`` (the load's own if None) fixes its arrivals and its prompts.

        ``watch`` is called as it starts, with a tally that changes while it runs.
        """
        seed = self.load.seed if seed is None else seed
        self.load.check(step)
        runner = Runner(self._send, self.now, self._stop, self.load.drain_s)
        tally = Tally()
        if watch is not None:
            watch(step, tally)
        arrivals, workload = self.load.arrivals, self.load.workload
        if isinstance(arrivals, ClosedLoop):
            outcome = await runner.run_closed(
                step, arrivals.concurrency, self._conversations(seed), tally
            )
        else:
            plan = workload.plan(step.rate, 0.0, step.length, seed, arrivals)
            outcome = await runner.run(step, self._flights(plan), tally)
        self._client.count()
        return outcome

    def _conversations(self, seed: int) -> Iterator[Flight]:
        for index in itertools.count():
            turns = self.load.workload.conversation(seed, index)
            yield self._flights([Timed(0.0, turn) for turn in turns])[0]

    def _flights(self, plan: list[Timed]) -> list[Flight]:
        """Records and bodies, made before the step so that sending costs little."""
        records = [
            RequestRecord(
                id=f"{timed.request.kind}-{next(self._numbers)}",
                workload=timed.request.kind,
                scheduled=0.0,
                slo=self.slo_of(timed.request),
            )
            for timed in plan
        ]
        flights = make_flights(plan, records)
        for flight in flights:
            if flight.request.follows is None:
                self._write(flight)
        return flights

    def _write(self, flight: Flight) -> bytes:
        bounds = flight.record.slo or flight.request.slo
        request = replace(flight.request, messages=flight.messages, slo=bounds)
        flight.body = self.dialect.body(self.model, request)
        return flight.body

    async def _send(self, flight: Flight) -> None:
        body = flight.body or self._write(flight)
        await self._client.send(flight.record, body, flight.answer)
