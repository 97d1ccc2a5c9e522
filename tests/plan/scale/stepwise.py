"""The same fleets in plain Python, every step visited: slow, and simple enough to be believed."""

from __future__ import annotations

from dataclasses import dataclass

from tests.plan.scale.profiles import KV_BYTES, LINK

from goodput.core.slo import SLO
from goodput.plan.profile.schema import StepLoad, WorkerProfile
from goodput.plan.scale.traffic import Arrivals


@dataclass(slots=True)
class Request:
    arrived: float
    prompt: int
    output: int
    computed: int = 0
    made: int = 0
    ready: float = 0.0
    first: float = 0.0
    last: float = 0.0

    def met(self, slo: SLO) -> bool:
        tpot = (self.last - self.first) / (self.output - 1) if self.output > 1 else None
        ttft, e2e = self.first - self.arrived, self.last - self.arrived
        return slo.met_by(ttft=ttft, tpot=tpot, e2e=e2e)


def requests_of(arrivals: Arrivals) -> list[Request]:
    rows = zip(*(column.tolist() for column in arrivals), strict=True)
    return [Request(time, prompt, output) for time, prompt, output in rows]


def play_apart(arrivals: Arrivals, worker: WorkerProfile) -> list[Request]:
    """One prefill worker, prompt by prompt, and one decode worker."""
    requests = requests_of(arrivals)
    free = 0.0
    for request in requests:
        load = StepLoad(prefill_tokens=request.prompt, prefill_pairs=request.prompt**2 / 2)
        free = max(free, request.arrived) + worker.step_s(load)
        request.first = request.last = free
        request.made = 1
        request.ready = free + LINK.seconds(request.prompt * KV_BYTES)
    _decode([request for request in requests if request.output > 1], worker)
    return requests


def _decode(arriving: list[Request], worker: WorkerProfile) -> None:
    now, batch = 0.0, list[Request]()
    while arriving or batch:
        if not batch:
            now = max(now, arriving[0].ready)
        while arriving and arriving[0].ready <= now:
            batch.append(arriving.pop(0))
        context = sum(request.prompt + request.made - 1 for request in batch)
        now += worker.step_s(StepLoad(decode_rows=len(batch), context_tokens=context))
        for request in batch:
            request.made += 1
            request.last = now
        batch = [request for request in batch if request.made < request.output]


def play_together(
    arrivals: Arrivals, worker: WorkerProfile, budget: int, saturation: int
) -> list[Request]:
    """One mixed worker without a TPOT bound to pace itself by."""
    requests = requests_of(arrivals)
    coming, waiting, batch = list(requests), list[Request](), list[Request]()
    now = 0.0
    while coming or waiting or batch:
        if not waiting and not batch:
            now = max(now, coming[0].arrived)
        while coming and coming[0].arrived <= now:
            waiting.append(coming.pop(0))
        chunks = _chunks(
            waiting, min(budget - len(batch), saturation) if batch else budget, saturation
        )
        load = StepLoad(
            prefill_tokens=sum(count for _, count in chunks),
            prefill_pairs=sum(count * (one.computed + count / 2) for one, count in chunks),
            decode_rows=len(batch),
            context_tokens=sum(request.prompt + request.made - 1 for request in batch),
        )
        now += worker.step_s(load)
        for request in batch:
            request.made += 1
            request.last = now
        for request, count in chunks:
            request.computed += count
            if request.computed == request.prompt:
                waiting.remove(request)
                request.made, request.first, request.last = 1, now, now
                batch.append(request)
        batch = [request for request in batch if request.made < request.output]
    return requests


def _chunks(waiting: list[Request], budget: int, saturation: int) -> list[tuple[Request, int]]:
    chunks, planned = list[tuple[Request, int]](), 0
    for request in waiting:
        if planned >= min(budget, saturation):
            break
        count = min(request.prompt - request.computed, budget - planned)
        chunks.append((request, count))
        planned += count
    return chunks
