"""Runs that are made, not measured: a server with one worker whose times follow from the load."""

from __future__ import annotations

import random
from collections.abc import Sequence

from goodput.bench.run.runner import Outcome, Step
from goodput.bench.summary import BenchSummary, EndpointSummary
from goodput.bench.wire.dialect import Dialect
from goodput.core.record import RequestRecord, TokenStamp
from goodput.core.slo import SLO
from goodput.core.timeline import Spans
from goodput.core.validity import Window

BOUNDS = SLO(ttft=0.8, tpot=0.05)
TOKENS = 30
HOSTILE = "b $x$ <script>alert(1)</script>"


def made_run(
    rates: Sequence[float] = (1.0, 2.0, 4.0, 6.0),
    *,
    endpoints: dict[str, float] | None = None,
    seconds: float = 30.0,
    kinds: Sequence[str] = ("chat",),
) -> tuple[BenchSummary, list[RequestRecord]]:
    """A run of each rate in turn on each endpoint; its value is how many times slower it is."""
    speeds = endpoints or {"": 1.0}
    summary = BenchSummary(
        endpoints=[
            EndpointSummary(
                name=name,
                url=f"http://127.0.0.1:{8000 + number}/v1",
                model="toy",
                dialect=Dialect(),
            )
            for number, name in enumerate(speeds)
        ],
        workload="+".join(kinds),
        arrivals="poisson",
        seed=0,
        origin=0.0,
    )
    records: list[RequestRecord] = []
    start = 0.05
    for rate in rates:
        for name, slower in speeds.items():
            own = _step(random.Random(f"{rate}"), rate, start, seconds + 2, slower, kinds)
            window = Window(start=start + 2, end=start + 2 + seconds)
            summary.add(
                Outcome(
                    step=Step(rate=float(rate), warmup=2.0, duration=float(seconds)),
                    window=window,
                    records=own,
                    drained=True,
                    interrupted=False,
                    client_cpu_share=0.02,
                ),
                None,
                30.0,
                endpoint=name,
            )
            records += own
            start = max(record.end or record.scheduled for record in own) + 0.05
    return summary, records


def _step(
    rng: random.Random,
    rate: float,
    start: float,
    length: float,
    slower: float,
    kinds: Sequence[str],
) -> list[RequestRecord]:
    records: list[RequestRecord] = []
    at, free = start, start
    while (at := at + rng.expovariate(rate)) < start + length:
        prefill = slower * rng.uniform(0.05, 0.25)
        begun = max(at + 0.002, free)
        first = begun + prefill
        free = first
        flying = sum((record.end or 0) > first for record in records)
        gap = slower * (0.012 + 0.003 * flying)
        record = RequestRecord(
            id=f"r{len(records)}",
            workload=rng.choice(list(kinds)),
            scheduled=at,
            sent=at + 0.0005,
            slo=BOUNDS,
        )
        records.append(record)
        if rng.random() < 0.02:
            record.fail("rejected", "later")
            record.end = at + 0.01
            continue
        record.token_times = [TokenStamp(first + gap * index) for index in range(TOKENS)]
        last = record.token_times[-1].time
        record.end = last + 0.001
        record.status = "ok"
        record.output_tokens = TOKENS
        record.token_source = "usage"
        record.prompt_tokens = 100
        record.spans = Spans(
            frontend=0.001,
            queued_prefill=begun - at - 0.002,
            prefill=prefill,
            queued_transfer=0.0005,
            transfer=0.001,
            decode=last - first - 0.0015,
        )
    return records
