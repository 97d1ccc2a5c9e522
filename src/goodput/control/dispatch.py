"""The router's queue: which request goes to which worker now, which waits, which is refused."""

from __future__ import annotations

from collections.abc import Iterator

from goodput.control.job import Job
from goodput.control.registry import Registry
from goodput.core.clock import Clock
from goodput.core.errors import OverloadedError
from goodput.core.router_config import Admission, RouterConfig
from goodput.router.admission import seconds_too_late
from goodput.router.policy import Placement, Work, WorkerView
from goodput.router.queue import FairQueue, Turn
from goodput.router.router import Prompt, Router, first_token_due

# What nobody promised is worth starting within this time; it decides over the order only.
_UNPROMISED_S = 5.0

Choice = tuple[Job, Work, Placement | None]


class Dispatcher:
    """Holds requests back while the worker that is best for them has enough prompts before it.

    So the order is decided late, with everybody's slack known, and a worker is never left without
    work for longer than a message takes.
    """

    def __init__(
        self,
        registry: Registry,
        router: Router,
        clock: Clock,
        config: RouterConfig | None = None,
        admission: Admission = "all",
    ) -> None:
        self._config = config or RouterConfig()
        self._registry = registry
        self._router = router
        self._clock = clock
        self._admission = admission
        self._queue: FairQueue[Job] = FairQueue(self._config.aging_s, self._config.tenants)
        self._prompts: dict[Job, Prompt] = {}

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._queue)

    @property
    def waiting_tokens(self) -> int:
        """Prompt tokens of the requests that wait, those cached anywhere left out."""
        return self._queue.tokens

    def admit(self, job: Job) -> None:
        """Raise OverloadedError for a new request if its promise, or another by it, would break."""
        if self._admission == "all" or job.request.slo is None:
            return
        fleet = self._registry.ready_views()
        now = self._clock.now()
        work, _ = self._router.place(job.request, self._prompt(job), fleet, now)
        late = seconds_too_late(
            work,
            self._turn(job, fleet, now),
            self._queue.turns(),
            fleet,
            now,
            conditional=self._config.conditional,
        )
        if late > 0:
            del self._prompts[job]
            raise _refusal(late)

    def add(self, job: Job) -> None:
        """Queue a request."""
        now = self._clock.now()
        self._queue.add(job, self._turn(job, self._registry.ready_views(), now))

    def ended(self, job: Job) -> None:
        """The request waits no more, or its answer ended: its tenant is charged for the tokens."""
        self._queue.discard(job)
        self._prompts.pop(job, None)
        made = len(job.sent) - len(job.request.generated)
        if made:
            self._queue.charge(job.request.tenant, made)

    def discard(self, job: Job) -> None:
        """The request waits no more."""
        self._queue.discard(job)

    def due(self) -> Iterator[Choice]:
        """Each request whose turn it is, taken from the queue, and where it goes.

        The caller counts it at its workers before it asks for the next one.
        """
        while (choice := self._next()) is not None:
            yield choice

    def choose(self, job: Job) -> Choice:
        """Where a request goes that must not wait for a turn again: it was under way before."""
        self._prompts[job] = Prompt(job.request.prompt + job.sent)
        return self._choice(job, self._registry.ready_views())

    def sent(self, job: Job, worker: str) -> None:
        """The worker was given the request."""
        self._router.sent(worker, self._prompts.pop(job), self._clock.now())

    def hopeless(self) -> list[tuple[Job, OverloadedError]]:
        """Waiting requests whose promise was overtaken by events, and how they are refused."""
        if self._admission == "all":
            return []
        now = self._clock.now()
        jobs = [job for job in self._queue.overdue(now) if first_token_due(job.request) is not None]
        return [(job, _refusal(1.0)) for job in jobs]

    def _next(self) -> Choice | None:
        if not self._queue:
            return None
        fleet = self._registry.ready_views()
        computing = [view for view in fleet if self._config.conditional or view.role != "decode"]
        if computing and not any(self._takes(view) for view in computing):
            return None
        for waiting in self._queue.in_order(self._clock.now()):
            job = waiting.item
            _, work, placement = self._choice(job, fleet, self._token_wait_s())
            if placement is None:
                self._queue.discard(job)
            elif self._takes(self._registry[placement.prefill].view):
                self._queue.serve(job)
            else:
                continue
            return job, work, placement
        return None

    def _token_wait_s(self) -> float:
        """Seconds that the others in the queue wait for a prompt's token, where work can move."""
        if not self._config.conditional or len(self._queue) < 2:
            return 0.0
        prompts = [view for view in self._registry.ready_views() if view.role != "decode"]
        if not prompts:
            return 0.0
        token_s = sum(view.speeds.prefill_token_s for view in prompts) / len(prompts)
        return (len(self._queue) - 1) / len(prompts) * token_s

    def _choice(self, job: Job, fleet: list[WorkerView], token_wait_s: float = 0.0) -> Choice:
        prompt = self._prompt(job)
        now = self._clock.now()
        return job, *self._router.place(job.request, prompt, fleet, now, token_wait_s)

    def _takes(self, view: WorkerView) -> bool:
        return view.queue_s * 1e3 < self._config.ahead_ms

    def _prompt(self, job: Job) -> Prompt:
        prompt = self._prompts.get(job)
        if prompt is None:
            prompt = self._prompts[job] = Prompt(job.request.prompt + job.sent)
        return prompt

    def _turn(self, job: Job, fleet: list[WorkerView], now: float) -> Turn:
        request = job.request
        tokens = self._router.least_uncached(self._prompt(job))
        token_s = min((view.speeds.prefill_token_s for view in fleet), default=0.0)
        due = first_token_due(request)
        start_by = now + _UNPROMISED_S if due is None else due - tokens * token_s
        return Turn(now, start_by, tokens, request.tenant, request.priority)


def _refusal(late_s: float) -> OverloadedError:
    return OverloadedError(
        "The server is too busy to keep this request's 'slo'; it was refused at once so that the "
        f"promises made to others are kept. In about {max(1.0, late_s):.0f} s it may fit.",
        retry_after_s=late_s,
    )
