"""What typical requests take when they are alone on the server: the measure of relative SLOs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from statistics import median

from goodput.bench.run.flight import Flight
from goodput.bench.workloads.base import PlannedRequest, Workload
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord
from goodput.core.slo_spec import Unloaded

# Words of no run: what is asked here must not help a run through the server's prefix cache.
_SEED = -1
_SAMPLE = 33
_ASKED = 5


async def measure_unloaded(
    workload: Workload, send: Callable[[Flight], Awaitable[None]], now: Callable[[], float]
) -> Unloaded:
    """Ask ``workload``'s most typical requests one after the other.

    Raises UsageError with the server's words when it fails one of them.
    """
    records = []
    for request in _typical(workload):
        record = RequestRecord(id=f"unloaded-{workload.name}", workload=workload.name, scheduled=0)
        record.scheduled = now()
        await send(Flight(record=record, request=request))
        if not record.met():
            raise UsageError(
                f"the server failed a request of {workload.name!r} that was alone on it: "
                f"{record.error or 'there was no token in the answer'}"
            )
        records.append(record)
    tpots = [record.tpot for record in records if record.tpot is not None]
    return Unloaded(
        count=len(records),
        ttft=median(record.ttft or 0.0 for record in records),
        tpot=median(tpots) if tpots else None,
        e2e=median(record.e2e or 0.0 for record in records),
    )


def _typical(workload: Workload) -> list[PlannedRequest]:
    """Those with the prompts nearest to the median length: few requests then do with little noise.

    Only first turns: what they add to the prefix cache is what the users would find in it.
    """
    sample = [workload.request(_SEED, index) for index in range(_SAMPLE)]
    sample.sort(key=lambda request: sum(len(message.content) for message in request.messages))
    middle = (_SAMPLE - _ASKED) // 2
    return sample[middle : middle + _ASKED]
