"""Offers rates to the timed server with the load generator as it is, from the
highest down to one that it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.arrivals.base import check_rate
from goodput.bench.run.runner import Outcome, Step
from goodput.bench.run.session import Load, Session, Target
from goodput.bench.selfcheck.errors import CheckedRate, Errors, compare
from goodput.bench.selfcheck.timings import PATH, Timings
from goodput.bench.wire.answer import Answer
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.workloads.base import Message, PlannedRequest, Workload
from goodput.core.slo import SLO
from goodput.core.validity import invalid_reasons

_WARMUP_S = 1.0
_DRAIN_S = 10.0
_MAX_TIMINGS_BYTES = 1 << 30


def ladder(highest: float) -> list[float]:
    """The rates to try on the way down from ``highest``; raises UsageError when it is no rate."""
    check_rate(highest, 0.0, 1.0)
    return [highest * share for share in (1.0, 0.8, 0.6, 0.4, 0.2, 0.1)]


class Numbered(Workload):
    """Requests for ``tokens`` tokens whose prompts are their numbers, so that both sides know
    which is which."""

    name = "selfcheck"
    slo = SLO()

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens

    def request(self, seed: int, index: int) -> PlannedRequest:
        """Its prompt is ``seed/index``."""
        return PlannedRequest(
            messages=(Message("user", f"{seed}/{index}"),),
            max_tokens=self._tokens,
            kind=self.name,
            slo=self.slo,
        )


async def check_rates(
    url: str,
    rates: Sequence[float],
    *,
    duration_s: float,
    tokens: int,
    seen: Callable[[CheckedRate], None] = lambda _: None,
) -> list[CheckedRate]:
    """Offer ``rates`` in turn for ``duration_s`` each; ends with the first that is held.

    ``seen`` gets each result at once.
    """
    load = Load(workload=Numbered(tokens), arrivals=parse_arrivals("poisson"), drain_s=_DRAIN_S)
    checked: list[CheckedRate] = []
    async with Session(Target(url=url), load) as session, Endpoint(url) as endpoint:
        for seed, rate in enumerate(rates):
            outcome = await session.offer(Step(rate, _WARMUP_S, duration_s), seed=seed)
            everything = Answer(max_bytes=_MAX_TIMINGS_BYTES)
            answer = await endpoint.get(PATH.removeprefix("/v1"), everything)
            timings = msgspec.json.decode(answer.body, type=Timings)
            checked.append(_judge(outcome, timings, seed, session.origin))
            seen(checked[-1])
            if checked[-1].held:
                break
    return checked


def _judge(outcome: Outcome, timings: Timings, seed: int, origin: float) -> CheckedRate:
    """The step's measured window, held against what the server says."""
    pairs = [
        (record, timings.requests.get(f"{seed}/{index}"))
        for index, record in enumerate(outcome.records)
        if outcome.window.start <= record.scheduled < outcome.window.end
    ]
    records = [record for record, _ in pairs]
    token, ttft, failed = compare(records, [timing for _, timing in pairs], origin)
    return CheckedRate(
        rate=outcome.step.rate,
        requests=len(records),
        failed=failed,
        tokens_per_s=sum(record.output_tokens for record in records) / outcome.window.seconds,
        token=token,
        ttft=ttft,
        late=Errors.of(record.late for record in records if record.late is not None),
        client_cpu_share=outcome.client_cpu_share,
        invalid=invalid_reasons(records, outcome.window),
    )
