"""Attainment and goodput: the one definition that live server, bench, simulator and planner use.

Pure functions over request records. docs/metrics.md has the words; each rule has a test. Where
``slo`` is None, each record is judged by its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from goodput.core.blame import blame
from goodput.core.percentiles import Percentiles, percentiles, wilson_interval
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO
from goodput.core.validity import Window, achieved, invalid_reasons


def attainment(records: Sequence[RequestRecord], slo: SLO | None) -> float | None:
    """Requests that met / requests scheduled; failures of any kind count. None without records."""
    if not records:
        return None
    return sum(record.met(slo) for record in records) / len(records)


def goodput(records: Sequence[RequestRecord], slo: SLO | None, seconds: float) -> float:
    """Requests that met per second of a window of ``seconds`` (> 0)."""
    return sum(record.met(slo) for record in records) / seconds


def token_goodput(records: Sequence[RequestRecord], slo: SLO | None, seconds: float) -> float:
    """Output tokens of the requests that met, per second of a window of ``seconds`` (> 0)."""
    return sum(record.output_tokens for record in records if record.met(slo)) / seconds


class KindSummary(msgspec.Struct, kw_only=True):
    """One class of a mixed workload; as in :class:`WindowSummary`, over the same window."""

    slo: SLO | None
    scheduled: int
    met: int
    attainment: float
    attainment_low: float
    attainment_high: float
    goodput: float
    ttft: Percentiles | None
    tpot: Percentiles | None
    e2e: Percentiles | None


class WindowSummary(msgspec.Struct, kw_only=True):
    """All figures of one measured window. Times in seconds, rates per second.

    ``rate`` is the nominal rate of the schedule, ``offered_rate`` what the schedule came to,
    ``achieved_rate`` what the client sent in time. TTFT is of every request that got a token,
    TPOT, E2E and hand-off of those that ended well, ITL the pool of all gaps; each says of how
    many. ``attainment_low`` and ``_high`` bound its 95 % confidence interval. ``slo`` is what all
    were judged by, None when they differ; ``target`` the attainment that is asked, the highest one
    then. ``by_kind`` is there when there are several kinds.
    """

    rate: float
    window: Window
    slo: SLO | None
    target: float = SLO().target
    scheduled: int
    statuses: dict[str, int]
    rejected: int
    offered_rate: float
    achieved_rate: float
    met: int
    attainment: float | None
    attainment_low: float
    attainment_high: float
    goodput: float
    token_goodput: float
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    token_sources: dict[str, int]
    late: Percentiles | None
    ttft: Percentiles | None
    ttft_from_sent: Percentiles | None
    tpot: Percentiles | None
    itl: Percentiles | None
    e2e: Percentiles | None
    handoff: Percentiles | None
    blame: dict[str, int]
    invalid: list[str]
    by_kind: dict[str, KindSummary] = {}

    @property
    def valid(self) -> bool:
        """Whether nothing says that the client was the bottleneck."""
        return not self.invalid


def summarize(
    records: Sequence[RequestRecord], *, window: Window, slo: SLO | None = None, rate: float
) -> WindowSummary:
    """Judge the records scheduled inside ``window`` (its length must be positive)."""
    measured = window.measured(records)
    ended = [record for record in measured if record.status == "ok"]
    met = sum(record.met(slo) for record in measured)
    low, high = wilson_interval(met, len(measured))
    statuses = Counter(record.status for record in measured)
    kinds = sorted({record.workload for record in measured})
    targets = [bounds.target for record in measured if (bounds := slo or record.slo)]
    return WindowSummary(
        rate=rate,
        window=window,
        slo=common_slo(measured, slo),
        target=max(targets, default=SLO().target),
        scheduled=len(measured),
        statuses={str(status): count for status, count in sorted(statuses.items())},
        rejected=statuses["rejected"],
        offered_rate=len(measured) / window.seconds,
        achieved_rate=achieved(measured, window) / window.seconds,
        met=met,
        attainment=attainment(measured, slo),
        attainment_low=low,
        attainment_high=high,
        goodput=goodput(measured, slo, window.seconds),
        token_goodput=token_goodput(measured, slo, window.seconds),
        prompt_tokens=sum(record.prompt_tokens for record in measured),
        cached_tokens=sum(record.cached_tokens for record in measured),
        output_tokens=sum(record.output_tokens for record in measured),
        token_sources={
            str(source): count
            for source, count in sorted(Counter(record.token_source for record in ended).items())
        },
        late=percentiles(record.late for record in measured),
        ttft=percentiles(record.ttft for record in measured),
        ttft_from_sent=percentiles(record.ttft_from_sent for record in measured),
        tpot=percentiles(record.tpot for record in ended),
        itl=percentiles(gap for record in measured for gap in record.token_gaps()),
        e2e=percentiles(record.e2e for record in ended),
        handoff=percentiles(
            record.spans.handoff
            for record in ended
            if record.spans is not None and record.spans.handoff > 0
        ),
        blame=blame(measured, slo),
        invalid=invalid_reasons(measured, window),
        by_kind={}
        if len(kinds) == 1
        else {
            kind: _of_kind([record for record in measured if record.workload == kind], slo, window)
            for kind in kinds
        },
    )


def _of_kind(records: Sequence[RequestRecord], slo: SLO | None, window: Window) -> KindSummary:
    """Judge the measured records of one kind (at least one)."""
    ended = [record for record in records if record.status == "ok"]
    met = sum(record.met(slo) for record in records)
    low, high = wilson_interval(met, len(records))
    return KindSummary(
        slo=common_slo(records, slo),
        scheduled=len(records),
        met=met,
        attainment=met / len(records),
        attainment_low=low,
        attainment_high=high,
        goodput=met / window.seconds,
        ttft=percentiles(record.ttft for record in records),
        tpot=percentiles(record.tpot for record in ended),
        e2e=percentiles(record.e2e for record in ended),
    )


def common_slo(records: Sequence[RequestRecord], slo: SLO | None) -> SLO | None:
    """``slo``, or the records' own when all of them have the same."""
    own = {record.slo for record in records}
    return own.pop() if slo is None and len(own) == 1 else slo
