"""What the requests of a load were promised, in seconds, once all of it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from goodput.bench.workloads.base import PlannedRequest, Workload
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec, Unloaded

# None: the workload's absolute bounds. "relative": its multiples of the unloaded latency.
Promise = SLO | SLOSpec | Literal["relative"] | None


def parse_promise(text: str | None, *, target: float = 0.90) -> Promise:
    """Read ``--slo``: ``relative``, or terms like ``ttft=400ms,tpot=2x``; None stays None."""
    if text is None or text.strip() == "relative":
        return None if text is None else "relative"
    return SLOSpec.parse(text, target=target)


def needs_unloaded(promise: Promise) -> bool:
    """Whether the promise is in seconds only once the unloaded latency is known."""
    return promise == "relative" or (isinstance(promise, SLOSpec) and bool(promise.times))


def target_of(promise: Promise, workload: Workload) -> float:
    """The share of the requests of ``workload`` that must keep the promise."""
    if isinstance(promise, SLOSpec):
        return promise.fixed.target
    return promise.target if isinstance(promise, SLO) else workload.slo.target


def bounds_of(
    request: PlannedRequest,
    promise: Promise,
    workload: Workload,
    unloaded: Mapping[str, Unloaded],
) -> SLO:
    """The bounds of one request of ``workload``; multiples are of its own class's latency.

    Raises InvalidRequestError when a multiple has nothing to be a multiple of.
    """
    if promise is None:
        return request.slo
    if promise == "relative":
        [promise] = [one.relative for one in workload.classes() if one.name == request.kind]
    if isinstance(promise, SLO):
        return promise
    return promise.resolve(unloaded.get(request.kind))
