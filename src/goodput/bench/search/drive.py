"""Runs a search against a live server: the policy proposes, a window of real requests judges."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from goodput.bench.arrivals import ClosedLoop
from goodput.bench.run.ledger import Ledger
from goodput.bench.run.live import LiveView
from goodput.bench.run.runner import Step
from goodput.bench.run.session import Load, Session, Target
from goodput.bench.run.steps import SEED_STRIDE
from goodput.bench.search.conclusion import conclude
from goodput.bench.search.policy import RateSearch
from goodput.core.errors import UsageError

# Windows in a row that measured the client instead of the server: then it is no use to go on.
_HOPELESS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a search may spend: a window lasts ``duration_s`` or, at low rates, until ``requests``
    are expected. ``tolerance`` ends it: 0.1 is an interval whose ends are 10 % apart."""

    budget_s: float
    warmup_s: float
    duration_s: float
    requests: int
    tolerance: float

    def step(self, rate: float) -> Step:
        """The window that judges ``rate``."""
        return Step(rate, self.warmup_s, max(self.duration_s, self.requests / rate))

    def check(self, policy: RateSearch, load: Load) -> None:
        """Raise UsageError that names what cannot work, before anything is sent."""
        if isinstance(load.arrivals, ClosedLoop):
            raise UsageError(
                "a search needs an open loop: in a closed one the server sets the rate"
            )
        if not self.tolerance > 0:
            raise UsageError(f"--tolerance must be positive, not {self.tolerance:g}")
        first = self.step(policy.start)
        load.check(first)
        if first.length > self.budget_s:
            raise UsageError(
                f"--budget {self.budget_s:g}s does not hold one window at {policy.start:g} req/s: "
                f"warm-up and measurement take {first.length:g} s"
            )


async def run_search(
    target: Target,
    load: Load,
    policy: RateSearch,
    effort: Effort,
    stop: asyncio.Event,
    live: LiveView,
) -> Ledger:
    """Search until the interval is narrow or no further window fits into the budget.

    Windows in which the client was the bottleneck are in the ledger and judge nothing. Setting
    ``stop`` ends the search; the windows before it still count.
    """
    async with Session(target, load, stop) as session:
        ledger = Ledger.open("search", {"": session})
        ends = time.monotonic() + effort.budget_s
        hopeless = number = 0
        while hopeless < _HOPELESS:
            step = effort.step(policy.next_rate())
            # The first window always runs: the budget was checked against it.
            if number and time.monotonic() + step.length > ends:
                break
            seed = load.seed + SEED_STRIDE * number
            number += 1
            outcome = await session.offer(step, seed=seed, watch=live.watch)
            judged = ledger.enter(session, outcome)
            if stop.is_set():
                break
            if judged is None or not judged.figures.valid:
                hopeless += 1
                continue
            hopeless = 0
            measured = outcome.window.measured(outcome.records)
            policy.judge(step.rate, [record.met() for record in measured])
            known = policy.bounds()
            live.say(
                f"{step.rate:.3g} req/s: {judged.figures.met}/{judged.figures.scheduled} met; "
                f"goodput {known}"
            )
            if policy.settled(effort.tolerance):
                break
    if policy.windows:
        ledger.summary.search = conclude(policy)
    return ledger
