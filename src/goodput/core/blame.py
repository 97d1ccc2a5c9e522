"""Where the requests that missed their SLO lost their time.

Each missed request is charged to exactly one cause, so that the counts add up to the misses.

1. A request that did not end well is charged to its status (``rejected``, ``error``, ``timeout``,
   ``cut_off``, ``never_sent``), or to ``no_token`` when it ended well without one.
2. Else one bound is judged: of the broken ``ttft`` and ``tpot`` bounds the one that is exceeded by
   the larger factor; ``e2e`` only when neither of them is broken.
3. The bound's time has to hold the spans of its phase. TTFT: ``client`` (scheduled to sent),
   ``frontend``, ``queued_prefill``, ``prefill``. TPOT, whose time is bound × (n − 1):
   ``queued_transfer``, ``transfer``, ``queued_decode``, ``decode``. E2E: all of them. What the
   client saw beyond these spans is ``outside`` (network, accept queue, the client's own reading).
4. A span's share of the bound is the bound times the span's part of that phase over all requests
   that met (total of the span / total of the phase). The span that is longest over its share is
   charged: one that is always long is not to blame for being itself. When no request met, every
   share is 0 and the longest span is charged.

A server that reports no spans leaves ``client``, ``before_first_token``, ``after_first_token``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from goodput.core.record import RequestRecord
from goodput.core.slo import SLO

Bound = Literal["ttft", "tpot", "e2e"]

_BEFORE = ("frontend", "queued_prefill", "prefill")
_AFTER = ("queued_transfer", "transfer", "queued_decode", "decode")


def phase_spans(record: RequestRecord, bound: Bound) -> dict[str, float]:
    """The spans in seconds that one bound covers, for a record that ended well with a token."""
    before = record.ttft or 0.0
    after = (record.last_token or 0.0) - (record.first_token or 0.0)
    total = {"ttft": before, "tpot": after, "e2e": record.e2e or 0.0}[bound]
    names = {"ttft": _BEFORE, "tpot": _AFTER, "e2e": _BEFORE + _AFTER}[bound]
    spans = {} if bound == "tpot" else {"client": record.late or 0.0}
    if record.spans is not None:
        spans |= {name: getattr(record.spans, name) for name in names}
        rest = "outside"
    elif bound == "e2e":
        spans["before_first_token"] = before - spans["client"]
        rest = "after_first_token"
    else:
        rest = "before_first_token" if bound == "ttft" else "after_first_token"
    spans[rest] = max(0.0, total - sum(spans.values()))
    return spans


def broken_bound(record: RequestRecord, slo: SLO) -> tuple[Bound, float] | None:
    """The bound that a well-ended record is judged by, and the seconds that it allowed."""
    over: list[tuple[float, Bound, float]] = []
    if slo.ttft is not None and record.ttft is not None and record.ttft > slo.ttft:
        over.append((record.ttft / slo.ttft, "ttft", slo.ttft))
    if slo.tpot is not None and record.tpot is not None and record.tpot > slo.tpot:
        over.append((record.tpot / slo.tpot, "tpot", slo.tpot * (record.output_tokens - 1)))
    if over:
        _, bound, seconds = max(over)
        return bound, seconds
    if slo.e2e is not None and record.e2e is not None and record.e2e > slo.e2e:
        return "e2e", slo.e2e
    return None


def blame(records: Sequence[RequestRecord], slo: SLO | None = None) -> dict[str, int]:
    """Missed requests per cause, most first (ties by name); ``slo`` None is each record's own."""
    healthy = [record for record in records if record.met(slo)]
    bounds: tuple[Bound, ...] = ("ttft", "tpot", "e2e")
    shares = {bound: _shares(healthy, bound) for bound in bounds}
    causes: Counter[str] = Counter()
    for record in records:
        if record.met(slo):
            continue
        if record.status != "ok":
            causes[record.status] += 1
            continue
        broken = broken_bound(record, slo or record.slo or SLO())
        if broken is None:
            causes["no_token"] += 1
            continue
        causes[_longest_over_its_share(record, *broken, shares[broken[0]])] += 1
    return dict(sorted(causes.items(), key=lambda item: (-item[1], item[0])))


def _longest_over_its_share(
    record: RequestRecord, bound: Bound, allowed: float, share: dict[str, float]
) -> str:
    """The span of ``bound``'s phase with the most seconds beyond its part of ``allowed``."""
    spans = phase_spans(record, bound)
    return max(spans, key=lambda name: spans[name] - share.get(name, 0.0) * allowed)


def _shares(healthy: Sequence[RequestRecord], bound: Bound) -> dict[str, float]:
    """Each span's part of the phase, over all requests that met; sums to 1, or is empty."""
    totals: dict[str, float] = {}
    for record in healthy:
        for name, seconds in phase_spans(record, bound).items():
            totals[name] = totals.get(name, 0.0) + seconds
    whole = sum(totals.values())
    return {name: seconds / whole for name, seconds in totals.items()} if whole > 0 else {}
