"""The load of the runtime's benchmark: streams at a Poisson rate, timed with little work a token.

The client runs beside what it measures, so it only counts events and looks at the clock; the last
event of an answer is read when the window is over.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
import psutil

from goodput.bench.wire.answer import Answer
from goodput.bench.wire.endpoint import Endpoint

_DRAIN_S = 10.0
_DONE = b"[DONE]"
# What the server's spans say of the time to the first token that is the engine's own.
_ENGINE_SPANS = ("queued_prefill", "prefill")


@dataclass(slots=True)
class Stream:
    """One answer. Times in monotonic seconds; ``first`` and ``last`` of events that have text."""

    due: float
    sent: float = 0.0
    first: float = 0.0
    last: float = 0.0
    ended: float = 0.0
    events: list[bytes] = field(default_factory=list)
    error: str = ""

    def take(self, events: list[bytes]) -> bool:
        """Called by the connection with the events of one read."""
        now = time.monotonic()
        if not self.first:
            self.first = now
        self.events = events  # Only the last read's are kept: the end of the answer.
        if events[-1] == _DONE:
            self.ended = now
            return True
        self.last = now
        return False


@dataclass(frozen=True)
class Window:
    """What was offered and how it went. Seconds; ``cpu_s`` by kind of process, ``client`` too."""

    rate: float
    tokens: int
    seconds: float
    streams: Sequence[Stream]
    cpu_s: dict[str, float]

    @property
    def answered(self) -> list[Stream]:
        """Those that came to their end."""
        return [stream for stream in self.streams if stream.ended]

    def ttft(self) -> list[float]:
        """From the send to the first event, of each answer."""
        return [stream.first - stream.sent for stream in self.answered]

    def tpot(self) -> list[float]:
        """Mean distance of tokens, of each answer."""
        return [(stream.ended - stream.first) / (self.tokens - 1) for stream in self.answered]

    def lateness(self) -> list[float]:
        """How long after its time each request was sent."""
        return [stream.sent - stream.due for stream in self.streams]

    def outside_engine(self) -> list[float]:
        """Time to the first token less the server's own spans of queue and prefill at a worker;
        empty where the server tells none."""
        return [
            stream.first - stream.sent - engine
            for stream in self.answered
            if (engine := _engine_s(stream.events)) is not None
        ]


def _engine_s(events: Sequence[bytes]) -> float | None:
    for event in events:
        if b'"goodput"' in event:
            spans = msgspec.json.decode(event)["goodput"]["spans_ms"]
            return sum(float(spans[name]) for name in _ENGINE_SPANS) / 1e3
    return None


async def offer(
    url: str, bodies: Iterator[bytes], rate: float, tokens: int, seconds: float, seed: int
) -> Window:
    """Send ``rate`` requests a second for ``seconds``, whatever became of those before."""
    draw = random.Random(seed)
    streams: list[Stream] = []
    tasks: set[asyncio.Task[None]] = set()
    with _undisturbed():
        async with Endpoint(url) as endpoint:
            meter = CpuMeter()
            began = due = time.monotonic()
            while (due := due + draw.expovariate(rate)) < began + seconds:
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                stream = Stream(due)
                streams.append(stream)
                task = asyncio.create_task(_ask(endpoint, next(bodies), stream))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            cpu_s = meter.read()
            lasted = time.monotonic() - began
            if tasks:
                await asyncio.wait(list(tasks), timeout=_DRAIN_S)
            for task in list(tasks):
                task.cancel()
    return Window(rate, tokens, lasted, streams, cpu_s)


async def _ask(endpoint: Endpoint, body: bytes, stream: Stream) -> None:
    answer = Answer(stream.take)
    stream.sent = time.monotonic()
    try:
        await endpoint.post("/chat/completions", body, answer)
    except Exception as error:
        stream.error = str(error) or type(error).__name__
        return
    if answer.status != 200:
        stream.error = answer.complaint()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No pauses of the garbage collector while times are taken."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class CpuMeter:
    """Processor time of this process and of all that it started, from now on."""

    def __init__(self) -> None:
        self._began = _cpu_times()
        self._busy = _busy_s()

    def read(self) -> dict[str, float]:
        """Seconds by name: ``client`` is this process, ``others`` is what was not started by it."""
        used: dict[str, float] = {}
        for (pid, name), seconds in _cpu_times().items():
            used[name] = used.get(name, 0.0) + seconds - self._began.get((pid, name), 0.0)
        used["others"] = max(0.0, _busy_s() - self._busy - sum(used.values()))
        return used


def _busy_s() -> float:
    """Seconds that the cores which this process may use did not idle, stolen time included."""
    times = psutil.cpu_times(percpu=True)
    own = [times[core] for core in psutil.Process().cpu_affinity()]
    return sum(sum(core[:8]) - core.idle - core.iowait for core in own)


def _cpu_times() -> dict[tuple[int, str], float]:
    times: dict[tuple[int, str], float] = {}
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        try:
            user, system = process.cpu_times()[:2]
            line = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        worker = "workers.main" in line or "dynamo.mocker" in line
        name = "client" if process == own else "workers" if worker else "frontend"
        times[process.pid, name] = user + system
    return times
