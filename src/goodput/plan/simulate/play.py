"""One offered rate, played: the same records and windows as a measured run's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goodput.bench.run.runner import Outcome, Step
from goodput.control.job import Job
from goodput.core.config import DeploymentConfig
from goodput.core.errors import GoodputError, OverloadedError
from goodput.core.record import TokenStamp
from goodput.core.request import GenerationRequest, SamplingParams, TokenDelta
from goodput.core.slo import SLO
from goodput.core.validity import Window
from goodput.plan.profile.schema import Profile
from goodput.plan.simulate.arrival import Arrival, continued
from goodput.plan.simulate.fleet import NoteStep, SimulatedFleet

Progress = Callable[[float], None]


@dataclass(slots=True, eq=False)
class _Client:
    """Reads one answer: stamps its tokens, then asks the next question."""

    fleet: SimulatedFleet
    arrival: Arrival
    window_end: float
    frontend_s: float
    slo: SLO | None
    job: Job | None = None

    def schedule(self, due: float) -> None:
        """The request counts from now on; it reaches the router after the frontend."""
        self.arrival.record.scheduled = due
        self.fleet.at(due + self.frontend_s, self._ask)

    def put_nowait(self, item: TokenDelta | GoodputError, /) -> None:
        """What the coordinator says; see :class:`~goodput.control.job.Inbox`."""
        record = self.arrival.record
        if isinstance(item, GoodputError):
            self._refused(item)
            return
        if item.token_ids:
            self._stamp(len(item.token_ids))
            record.output_tokens += len(item.token_ids)
            self.arrival.answer += item.token_ids
        if item.finish_reason is not None:
            record.finish_reason = item.finish_reason
            record.cached_tokens = item.cached_tokens
            record.http_status = 200
            if item.timeline is not None:
                item.timeline.finished = self.fleet.clock.now()
                record.spans = item.timeline.spans()
            if item.finish_reason == "error":
                record.http_status = 400
                record.fail("error", "the prompt does not fit into the context or the pool")
            else:
                record.status = "ok"
            self._end()

    def _ask(self) -> None:
        arrival, record = self.arrival, self.arrival.record
        record.sent = record.scheduled
        record.status = "cut_off"
        record.prompt_tokens = len(arrival.prompt)
        request = GenerationRequest(
            id=record.id,
            prompt=arrival.prompt,
            sampling=SamplingParams(max_tokens=arrival.planned.max_tokens, ignore_eos=True),
            received=record.scheduled,
            slo=self.slo or record.slo,
        )
        try:
            self.job = self.fleet.coordinator.enter(request, self)
        except OverloadedError as refusal:
            self._refused(refusal)

    def _stamp(self, tokens: int) -> None:
        """Tokens of steps that were played as one came evenly since the last one."""
        now, stamps = self.fleet.clock.now(), self.arrival.record.token_times
        before = stamps[-1].time if stamps else now
        each = (now - before) / tokens
        stamps += [TokenStamp(before + each * number, 1) for number in range(1, tokens)]
        stamps.append(TokenStamp(now, 1))

    def _refused(self, error: GoodputError) -> None:
        record = self.arrival.record
        record.http_status = error.http_status
        record.retry_after_s = error.retry_after_s if isinstance(error, OverloadedError) else None
        record.fail("rejected" if error.http_status == 429 else "error", str(error))
        self._end()

    def _end(self) -> None:
        now = self.fleet.clock.now()
        self.arrival.record.end = now
        if self.job is not None:
            # Not within the coordinator's own call: it may still be looking at the job.
            job = self.job
            self.fleet.at(now, lambda: self.fleet.coordinator.leave(job), decisive=False)
        later = self.arrival.later
        if later is not None:
            due = now + later.planned.think_s
            if due < self.window_end:
                later.prompt = continued(self.arrival, later)
                _Client(self.fleet, later, self.window_end, self.frontend_s, self.slo).schedule(due)


def play(
    profile: Profile,
    config: DeploymentConfig,
    arrivals: Sequence[Arrival],
    step: Step,
    *,
    slo: SLO | None = None,
    drain_s: float = 30.0,
    seed: int = 0,
    note_step: NoteStep | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Play ``arrivals`` (their records are filled in place) through a deployment.

    Requests are judged by ``slo``, or by their own. What has not ended ``drain_s`` seconds after
    the step is cut off, as in a measured run. The same seed gives the same records.
    """
    fleet = SimulatedFleet(
        config,
        profile,
        link=profile.near,
        seed=seed,
        note_step=note_step,
        sessions=any(arrival.later is not None for arrival in arrivals),
    )
    end = step.length
    for arrival in arrivals:
        if slo is not None:
            arrival.record.slo = slo
        if arrival.planned.follows is None:
            due = arrival.record.scheduled
            _Client(fleet, arrival, end, profile.frontend_s, slo).schedule(due)
    deadline = end + drain_s
    _run(fleet, deadline, progress)
    records = [x.record for x in arrivals if x.record.scheduled < end]
    drained = not any(record.status == "cut_off" for record in records)
    if drained:
        fleet.check_whole()
    return Outcome(
        step=step,
        window=Window(start=step.warmup, end=end),
        records=sorted(records, key=lambda record: record.scheduled),
        drained=drained,
        interrupted=False,
        client_cpu_share=0.0,
    )


def _run(fleet: SimulatedFleet, deadline: float, progress: Progress | None) -> None:
    """In slices, so that somebody who waits can see how far it is."""
    slices = 100
    for number in range(1, slices + 1):
        fleet.run(deadline * number / slices)
        if progress is not None:
            progress(number / slices)
