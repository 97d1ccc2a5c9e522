"""The simulated executor: takes the time of a profile, and leaps over what is decided already."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig
from goodput.core.speeds import Speeds, StepCost
from goodput.engine.executor import Chunk, Sampled, StepPlan
from goodput.engine.scheduler import Scheduler
from goodput.engine.speculation import tokens_left
from goodput.plan.profile.schema import StepLoad, WorkerProfile

# Any number of ids that are not the same ones again and again.
VOCABULARY: Final = 49_152
_DEVIATIONS: Final = 5


class TimedExecutor:
    """Takes the time that a profile says, and makes tokens up."""

    def __init__(self, profile: WorkerProfile, clock: ManualClock, seed: str) -> None:
        self._profile = profile
        self._clock = clock
        self._tokens = count(1)
        self._dice = random.Random(seed)
        self._factor: float | None = None
        self.last = StepLoad()
        self.caution = 1 + _DEVIATIONS * profile.noise
        """A step takes hardly ever so many times as long as the one before."""

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        """See :class:`~goodput.engine.executor.Executor`. Drafts of a leap are always right."""
        self.last = load_of(plan)
        self._clock.advance(self.seconds(self.last))
        self._factor = None
        return [self._sampled(chunk) if chunk.samples else [] for chunk in plan.chunks]

    def seconds(self, load: StepLoad) -> float:
        """How long the next step takes if it has this load: the same until it is taken."""
        if self._factor is None:
            noise = self._profile.noise
            self._factor = self._dice.lognormvariate(0.0, noise) if noise else 1.0
        return self._profile.step_s(load) * self._factor

    def token(self) -> int:
        """A made-up token."""
        return next(self._tokens) % VOCABULARY

    def pass_step(self, load: StepLoad) -> float:
        """Let a step pass without computing anything; its seconds, as an engine sees them."""
        started = self._clock.now()
        self._clock.advance(self.seconds(load))
        self._factor = None
        return self._clock.now() - started

    def _sampled(self, chunk: Chunk) -> list[Sampled]:
        return [Sampled(token) for token in (*chunk.drafts, self.token())]


class Leaper:
    """Plays the steps in a row of which nothing depends on what happens elsewhere, as one.

    It stands where an engine's guesses are made, so it is asked only about steps that decode and
    have nobody waiting. It makes each answer's next tokens "drafts", as many as there are steps
    that end before ``horizon()`` (seconds) without an answer that ends or lacks blocks before the
    last of them. The clock and what is learned of speeds go on as if each had been taken.
    """

    def __init__(
        self,
        executor: TimedExecutor,
        clock: ManualClock,
        scheduler: Scheduler,
        learners: Sequence[Speeds],
        horizon: Callable[[], float],
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._scheduler = scheduler
        self._learners = learners
        self._horizon = horizon

    def __call__(self, plan: StepPlan, config: EngineConfig, context_limit: int) -> None:
        """See :data:`~goodput.engine.scheduler.Guess`."""
        chunks = plan.chunks
        if any(chunk.sequence.timeline.first_token is None for chunk in chunks):
            return  # The last row of a prompt: when its token comes is of interest.
        most = min(tokens_left(chunk.sequence, context_limit) for chunk in chunks) - 1
        most = self._with_room(chunks, most)
        if most < 1:
            return
        steps = self._pass(load_of(plan), most)
        for chunk in chunks:
            chunk.drafts = tuple(self._executor.token() for _ in range(steps))

    def _with_room(self, chunks: list[Chunk], most: int) -> int:
        """As many steps as there are blocks for, none of them taken from anybody."""
        scheduler = self._scheduler
        spare = scheduler.pool.available - len(scheduler.running)
        while most > 0 and sum(max(0, scheduler.missing_blocks(x, most)) for x in chunks) > spare:
            most //= 2
        return most

    def _pass(self, load: StepLoad, most: int) -> int:
        """Let up to ``most`` steps pass, all of which end, as the one after them, in time."""
        horizon, steps, rows = self._horizon(), 0, load.decode_rows
        while steps < most:
            following = _grown(load, rows)
            # The step after this one is taken by the executor; it has to end in time, too.
            if self._ends(load, following) >= horizon:
                break
            cost = StepCost(self._executor.pass_step(load), 0, rows)
            for speeds in self._learners:
                speeds.observe(cost)
            load, steps = following, steps + 1
        return steps

    def _ends(self, load: StepLoad, following: StepLoad) -> float:
        # The noise of the one after the next is not drawn yet.
        later = self._executor.seconds(following) * self._executor.caution
        return self._clock.now() + self._executor.seconds(load) + later


def load_of(plan: StepPlan) -> StepLoad:
    """What a step computes, in the terms of a profile; drafts of a leap left out."""
    prompt, pairs, rows, context = 0, 0.0, 0, 0
    for chunk in plan.chunks:
        if chunk.count > 1:
            prompt += chunk.count
            pairs += chunk.count * (chunk.start + chunk.count / 2)
        else:
            rows += 1
            context += chunk.start + len(chunk.drafts)
    return StepLoad(
        prefill_tokens=prompt, prefill_pairs=pairs, decode_rows=rows, context_tokens=context
    )


def _grown(load: StepLoad, rows: int) -> StepLoad:
    return StepLoad(decode_rows=rows, context_tokens=load.context_tokens + rows)
