"""A whole benchmark run: one session, several steps, judged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from goodput.bench.run.ledger import Ledger
from goodput.bench.run.runner import Step
from goodput.bench.run.session import Load, Session, Target, Watch
from goodput.bench.summary import Verb
from goodput.core.errors import UsageError

# Another seed for each step: the rates must not share one pattern's luck, nor their prompts.
SEED_STRIDE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What to offer to which server."""

    target: Target
    load: Load
    steps: tuple[Step, ...]

    def check(self) -> None:
        """Raise UsageError that names what cannot work, before anything is sent."""
        if not self.steps:
            raise UsageError("there must be at least one request rate")
        for step in self.steps:
            self.load.check(step)


def split_steps(rates: Iterable[float], duration: float, warmup: float) -> tuple[Step, ...]:
    """One step per rate; they share ``duration`` equally, and each has the whole warm-up."""
    listed = list(rates)
    return tuple(Step(rate=rate, warmup=warmup, duration=duration / len(listed)) for rate in listed)


async def run_bench(
    plan: BenchPlan,
    *,
    verb: Verb = "run",
    stop: asyncio.Event | None = None,
    watch: Watch | None = None,
) -> Ledger:
    """Run ``plan``; ``watch`` and ``stop`` are as for :class:`Session`: what there is comes back.

    Raises UsageError when the plan or the server cannot work at all.
    """
    plan.check()
    stop = stop or asyncio.Event()
    load = plan.load
    async with Session(plan.target, load, stop) as session:
        ledger = Ledger.open(verb, {"": session})
        for number, step in enumerate(plan.steps):
            outcome = await session.offer(step, seed=load.seed + SEED_STRIDE * number, watch=watch)
            ledger.enter(session, outcome)
            if stop.is_set():
                break
    return ledger
