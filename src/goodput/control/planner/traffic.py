"""What came in and how it went, over a sliding window. O(1) an event."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

from goodput.core.request import GenerationRequest
from goodput.core.timeline import Timeline

# Beyond so many events the window is shorter; rates stay right, memory stays bounded.
_MOST_EVENTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that came in at ``at`` (monotonic seconds), with its TPOT bound in seconds."""

    at: float
    prompt_tokens: int
    tpot: float | None


@dataclass(frozen=True, slots=True)
class End:
    """A request that ended; ``met`` is None without an SLO."""

    at: float
    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The window's figures; rates per second. None where nothing was seen that could tell."""

    requests: int = 0
    request_rate: float = 0.0
    prompt_token_rate: float = 0.0
    cached_share: float = 0.0
    answer_tokens: float = 0.0
    attainment: float | None = None
    target: float = 0.9
    tpot: float | None = None


class TrafficWindow:
    """Events of the last ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._arrivals: deque[Arrival] = deque(maxlen=_MOST_EVENTS)
        self._ends: deque[End] = deque(maxlen=_MOST_EVENTS)
        self._target = 0.9
        self._began: float | None = None

    def arrived(self, request: GenerationRequest, now: float) -> None:
        """A request was let in."""
        slo = request.slo
        self._arrivals.append(Arrival(now, len(request.prompt), None if slo is None else slo.tpot))
        if slo is not None:
            self._target = slo.target
        if self._began is None:
            self._began = now

    def ended(
        self,
        request: GenerationRequest,
        generated: int,
        cached: int,
        timeline: Timeline | None,
        now: float,
    ) -> None:
        """A request ended: with all its tokens, or (no timeline) by an error, which missed."""
        met: bool | None = None
        if request.slo is not None:
            met = timeline is not None and _met(request, generated, timeline)
        self._ends.append(End(now, len(request.prompt), cached, generated, met))

    def traffic(self, now: float) -> Traffic:
        """The figures of the window that ends now. O(events)."""
        self._forget(now - self._seconds)
        if self._began is None:
            return Traffic()
        # At the start, and when more came than is kept, the window is as long as what is known.
        since = max(self._began, now - self._seconds)
        if len(self._arrivals) == _MOST_EVENTS:
            since = max(since, self._arrivals[0].at)
        seconds = max(now - since, 1.0)
        prompts = sum(end.prompt_tokens for end in self._ends)
        cached = sum(min(end.cached_tokens, end.prompt_tokens) for end in self._ends)
        judged = [end.met for end in self._ends if end.met is not None]
        bounds = [arrival.tpot for arrival in self._arrivals if arrival.tpot is not None]
        return Traffic(
            requests=len(self._arrivals),
            request_rate=len(self._arrivals) / seconds,
            prompt_token_rate=sum(arrival.prompt_tokens for arrival in self._arrivals) / seconds,
            cached_share=cached / prompts if prompts else 0.0,
            answer_tokens=(
                sum(end.generated_tokens for end in self._ends) / len(self._ends)
                if self._ends
                else 0.0
            ),
            attainment=sum(judged) / len(judged) if judged else None,
            target=self._target,
            tpot=median(bounds) if bounds else None,
        )

    def _forget(self, before: float) -> None:
        for events in (self._arrivals, self._ends):
            while events and events[0].at < before:
                events.popleft()


def _met(request: GenerationRequest, generated: int, timeline: Timeline) -> bool:
    first, last = timeline.first_token, timeline.last_token
    if request.slo is None or first is None or last is None or not generated:
        return False
    return request.slo.met_by(
        ttft=first - timeline.received,
        tpot=(last - first) / (generated - 1) if generated > 1 else None,
        e2e=last - timeline.received,
    )
